import type { DeviceEntry, OrderObligations } from '@interlock/contracts'
import {
  type DelegationObligations,
  deny,
  type IdentityObligations,
  obligationsOf,
  type StageContext,
  type StageInput,
  type Verdict,
} from '@interlock/enforcer'
import { firstRevoked, type RevocationSubject, type StopReason, standingStop } from '@interlock/sdk/standing'
import { actorRefusal } from '@interlock/trust'
import { type ApprovalsReason, checkApprovals } from './check-approvals.ts'
import { chainAgeMsMax, type DispatchedIntents } from './dispatched-intents.ts'

/** The longest time that an order may take: receipts and orders are remembered for twice as long. */
export const orderLifeMsMax = 60 * 60_000

export type DispatchReason =
  | ApprovalsReason
  | StopReason
  | 'statements-missing'
  | 'replayed'
  | 'refused-before'
  | 'decisions-too-old'
  | 'device-unknown'
  | 'device-not-active'
  | 'device-too-slow'
  | 'capability-unknown'
  | 'device-appraisal-too-old'
  | 'revoked'
  | 'actor-not-active'

/** The last look before a machine is told: once, to a device that is well, with nothing stopped or revoked meanwhile. Pure. */
export async function decide(input: StageInput, context: StageContext<DispatchedIntents>): Promise<Verdict<DispatchReason>> {
  const { intent, command, statements } = input
  const { now, tables, memory } = context
  const identity = obligationsOf<IdentityObligations>(statements, 'identity-verify')
  const delegation = obligationsOf<DelegationObligations>(statements, 'delegation-check')
  const [first] = statements
  if (!identity || !delegation || !first) return deny('statements-missing')
  // Whatever became of it: the first decision stands, and a machine is told once (ATTACKS 94).
  if (memory.has(intent.intentId)) return deny('replayed')
  if (memory.isRefused(intent.intentId)) return deny('refused-before')
  if (first.decidedAt < now - chainAgeMsMax) return deny('decisions-too-old', { decidedAt: first.decidedAt })

  const device = tables['control.devices'].get(command.device)
  if (!device) return deny('device-unknown', { device: command.device })
  const unfit = unfitDevice(device, command.capability, now)
  if (unfit) return unfit

  // As of the first decision: what was on its way while a stop stood was meant for a machine in another state.
  const concerned = { device: device.device, jobId: intent.jobId, agents: delegation.actors, decidedAt: first.decidedAt }
  const stop = standingStop(concerned, tables['control.stops'])
  if (stop) return deny(stop.reason, { scope: stop.stop.scope, subject: stop.stop.subject, since: stop.stop.changedAt })
  const revoked = firstRevoked(subjectsOf(identity, delegation, intent.jobId, device.device), tables['control.revocations'], now)
  if (revoked) return deny('revoked', { kind: revoked.kind, subject: revoked.subject, from: revoked.from })

  const known = { agents: tables['control.agents'], revocations: tables['control.revocations'] }
  for (const agent of delegation.actors) {
    const cause = actorRefusal(agent, known, now)
    if (cause) return deny('actor-not-active', { agent, cause })
  }

  const approvals = await checkApprovals(input, delegation.human, context)
  if (!approvals.ok) return deny(approvals.reason, approvals.detail)

  const deadline = Math.min(now + device.orderValidityMs, ...statements.map(({ expiresAt }) => expiresAt))
  const obligations: OrderObligations = {
    device: device.device,
    jobId: intent.jobId,
    nonce: context.random().toString('base64url'),
    deadline,
    approvals: [...approvals.value],
  }
  // The deadline is for beginning, the expiry for having ended: by it, too, an order without a last word times out.
  return { verdict: 'ALLOW', obligations, expiresAt: deadline + device.completionMsMax }
}

function unfitDevice(device: DeviceEntry, capability: string, now: number): Verdict<DispatchReason> | undefined {
  if (device.state !== 'active') return deny('device-not-active', { device: device.device, state: device.state })
  if (!Object.hasOwn(device.capabilities, capability)) return deny('capability-unknown', { capability })
  const lifeMs = device.orderValidityMs + device.completionMsMax
  if (lifeMs > orderLifeMsMax) return deny('device-too-slow', { lifeMs, lifeMsMax: orderLifeMsMax })
  const ageMs = now - device.attestation.appraisedAt
  if (ageMs > device.attestation.appraisalAgeMsMax)
    return deny('device-appraisal-too-old', { ageMs, ageMsMax: device.attestation.appraisalAgeMsMax })
  return undefined
}

/** Everything that the command rests on and that a human may have revoked while it was on its way. */
function subjectsOf(
  identity: IdentityObligations,
  delegation: DelegationObligations,
  jobId: string,
  device: string,
): RevocationSubject[] {
  return [
    ['device', device],
    ['job', jobId],
    ['human', delegation.human],
    ['certificate', identity.certificate],
    ['definition', identity.definitionHash],
    ...delegation.actors.map((actor) => ['agent', actor] as const),
    ...(delegation.consent === undefined ? [] : [['standing-grant', delegation.consent] as const]),
    ...delegation.tokens.map((token) => ['token', token] as const),
  ]
}
