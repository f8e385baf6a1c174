import type { DeviceGrant, Grant } from '@interlock/contracts'
import {
  type DelegationObligations,
  deny,
  type IdentityObligations,
  obligationsOf,
  type StageContext,
  type StageInput,
  type Verdict,
} from '@interlock/enforcer'
import { actorRefusal, type ConsentReason, type DelegationReason, verifyConsent, verifyDelegation } from '@interlock/trust'

export const clockSkewMs = 30_000

export type DelegationCheckReason =
  | DelegationReason
  | `consent-${ConsentReason}`
  | 'identity-missing'
  | 'job-differs'
  | 'actor-not-active'
  | 'human-unknown'
  | 'human-not-active'
  | 'human-not-a-requester'
  | 'not-granted'

/** Whether a human authorised, over every agent in between, that this agent gives this command to this device. Pure. */
export async function decide(input: StageInput, context: StageContext<null>): Promise<Verdict<DelegationCheckReason>> {
  const { intent, command, statements } = input
  const { now, tables, trust } = context
  const identity = obligationsOf<IdentityObligations>(statements, 'identity-verify')
  if (!identity) return deny('identity-missing')

  const delegation = verifyDelegation(intent.tokens, {
    anchors: trust,
    now,
    skewMs: clockSkewMs,
    revocations: tables['control.revocations'],
    agent: identity.agent,
    thumbprint: identity.certificate,
  })
  if (!delegation.ok) return deny(delegation.reason, delegation.detail)
  const { root, human, job, actors, tokens, grants, expiresAt } = delegation.value
  if (job !== intent.jobId) return deny('job-differs', { token: job, intent: intent.jobId })

  const known = { agents: tables['control.agents'], revocations: tables['control.revocations'] }
  for (const agent of actors) {
    const cause = actorRefusal(agent, known, now)
    if (cause) return deny('actor-not-active', { agent, cause })
  }

  const entry = tables['control.agents'].get(`human:${human}`)
  if (entry?.kind !== 'human') return deny('human-unknown', { human })
  if (entry.state !== 'active') return deny('human-not-active', { human, state: entry.state })
  if (!entry.roles.includes('requester')) return deny('human-not-a-requester', { human })

  const consent = await verifyConsent({ root, human: entry, expected: trust.webauthn, skewMs: clockSkewMs })
  if (!consent.ok) return deny(`consent-${consent.reason}`, consent.detail)

  const asked = { device: command.device, capability: command.capability }
  const covering = grants.map((granted) => granted.filter(isOfDevices).find((grant) => covers(grant, asked)))
  const grant = covering.at(-1)
  if (!grant)
    return deny('not-granted', {
      ...asked,
      granted: (grants.at(-1) ?? []).filter(isOfDevices).map(({ locations, actions }) => ({ locations, actions })),
    })

  const counts = tokens.map((token, at) => [token, covering[at]?.maxCount ?? 0] as const)
  const obligations: DelegationObligations = {
    human,
    actors,
    tokens,
    grant: { limits: limitsOf(grant), maxCount: grant.maxCount },
    counts: Object.fromEntries(counts),
  }
  const before = statements.at(-1)?.expiresAt ?? now
  return { verdict: 'ALLOW', obligations, expiresAt: Math.min(before, expiresAt + clockSkewMs) }
}

/** A tool's grant says nothing of a device, whatever names are in it. */
const isOfDevices = (grant: Grant): grant is DeviceGrant => grant.type === 'interlock_device'

/** By exact name: a grant knows no wildcard. */
const covers = ({ locations, actions }: DeviceGrant, { device, capability }: { device: string; capability: string }) =>
  locations.includes(device) && actions.includes(capability)

/** Canonical JSON has no `undefined`: an end without a limit is left out. */
function limitsOf({ limits }: DeviceGrant): DelegationObligations['grant']['limits'] {
  return Object.fromEntries(
    Object.entries(limits).map(([name, { min, max, unit }]) => [
      name,
      { ...(min !== undefined && { min }), ...(max !== undefined && { max }), unit },
    ]),
  )
}
