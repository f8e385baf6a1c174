import type { OrderObligations } from '@interlock/contracts'
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
import { type ApprovalsReason, checkApprovals } from './check-approvals.ts'
import type { DispatchedIntents } from './dispatched-intents.ts'

export type DispatchReason =
  | ApprovalsReason
  | StopReason
  | 'statements-missing'
  | 'replayed'
  | 'device-unknown'
  | 'device-not-active'
  | 'capability-unknown'
  | 'device-appraisal-too-old'
  | 'revoked'

/** The last look before a machine is told: once, to a device that is well, with nothing stopped or revoked meanwhile. Pure. */
export async function decide(input: StageInput, context: StageContext<DispatchedIntents>): Promise<Verdict<DispatchReason>> {
  const { intent, command, statements } = input
  const { now, tables, memory } = context
  const identity = obligationsOf<IdentityObligations>(statements, 'identity-verify')
  const delegation = obligationsOf<DelegationObligations>(statements, 'delegation-check')
  const before = statements.at(-1)
  if (!identity || !delegation || !before) return deny('statements-missing')
  // Whatever became of it: the first decision stands, and a machine is told once (ATTACKS 94).
  if (memory.has(intent.intentId)) return deny('replayed')

  const device = tables['control.devices'].get(command.device)
  if (!device) return deny('device-unknown', { device: command.device })
  if (device.state !== 'active') return deny('device-not-active', { device: device.device, state: device.state })
  if (!device.capabilities[command.capability]) return deny('capability-unknown', { capability: command.capability })
  const ageMs = now - device.tpm.appraisedAt
  if (ageMs > device.tpm.appraisalAgeMsMax)
    return deny('device-appraisal-too-old', { ageMs, ageMsMax: device.tpm.appraisalAgeMsMax })

  const concerned = { device: device.device, jobId: intent.jobId, agents: delegation.actors, decidedAt: now }
  const stop = standingStop(concerned, tables['control.stops'])
  if (stop) return deny(stop.reason, { scope: stop.stop.scope, subject: stop.stop.subject, since: stop.stop.changedAt })
  const revoked = firstRevoked(subjectsOf(identity, delegation, intent.jobId, device.device), tables['control.revocations'], now)
  if (revoked) return deny('revoked', { kind: revoked.kind, subject: revoked.subject, from: revoked.from })

  const approvals = await checkApprovals(input, delegation.human, context)
  if (!approvals.ok) return deny(approvals.reason, approvals.detail)

  const deadline = Math.min(now + device.orderValidityMs, before.expiresAt)
  const obligations: OrderObligations = {
    device: device.device,
    jobId: intent.jobId,
    nonce: context.random().toString('base64url'),
    deadline,
    approvals: [...approvals.value],
  }
  return { verdict: 'ALLOW', obligations, expiresAt: deadline }
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
    ...delegation.tokens.map((token) => ['token', token] as const),
  ]
}
