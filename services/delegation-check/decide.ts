import type { DeviceGrant, TaskTokenClaims } from '@interlock/contracts'
import {
  type DelegationObligations,
  deny,
  type HeldBudget,
  type IdentityObligations,
  obligationsOf,
  type StageContext,
  type StageInput,
  type Verdict,
} from '@interlock/enforcer'
import {
  actorRefusal,
  type ConsentReason,
  canonicalBytes,
  consentId,
  type DelegationReason,
  digest,
  isOfDevices,
  lineOfGrants,
  verifyConsent,
  verifyDelegation,
} from '@interlock/trust'
import { grantOfCommand } from './grant-of-command.ts'

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
  const leaf = grantOfCommand(grants.at(-1) ?? [], command)
  const line = leaf && lineOfGrants([consent.value.grants, ...grants.slice(0, -1)], leaf)
  if (!line)
    return deny('not-granted', {
      ...asked,
      granted: (grants.at(-1) ?? []).filter(isOfDevices).map(({ locations, actions }) => ({ locations, actions })),
    })

  const obligations: DelegationObligations = {
    human,
    actors,
    tokens,
    ...(root.consent && { consent: consentId(root.consent) }),
    grant: { limits: limitsOf(leaf), ...(leaf.windows && { windows: leaf.windows }) },
    budgets: budgetsOf(line, [human, ...actors], jobOf(root)),
    since: consent.value.from,
  }
  const before = statements.at(-1)?.expiresAt ?? now
  return { verdict: 'ALLOW', obligations, expiresAt: Math.min(before, expiresAt + clockSkewMs) }
}

/** What all budgets of a job begin with: what its human signed, and, where that is for several jobs, which of them. */
const jobOf = ({ job, consent }: TaskTokenClaims): string =>
  digest(canonicalBytes({ job, consent: digest(Buffer.from(consent?.request ?? '', 'base64url')) }))

/** A holder is named by what it holds and from whom, not by its token: a token that is renewed begins no new budget. */
function budgetsOf(line: readonly DeviceGrant[], holders: readonly string[], job: string): HeldBudget[] {
  let above = job
  return line.map((grant, at) => {
    const of = holders[at] ?? ''
    above = digest(canonicalBytes({ above, of, grant }))
    return { holder: above, of, maxCount: grant.maxCount, limits: grant.budgets ?? {} }
  })
}

/** Canonical JSON has no `undefined`: an end without a limit is left out. */
function limitsOf({ limits }: DeviceGrant): DelegationObligations['grant']['limits'] {
  return Object.fromEntries(
    Object.entries(limits).map(([name, { min, max, unit }]) => [
      name,
      { ...(min !== undefined && { min }), ...(max !== undefined && { max }), unit },
    ]),
  )
}
