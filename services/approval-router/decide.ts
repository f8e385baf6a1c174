import { approvalRuleFor } from '@interlock/contracts'
import {
  type ApprovalObligations,
  type BoundsObligations,
  type DelegationObligations,
  deny,
  type IdentityObligations,
  obligationsOf,
  type StageContext,
  type StageInput,
  type Verdict,
} from '@interlock/enforcer'
import { mayApprove } from './may-approve.ts'
import { type Escalation, type OpenRequests, requestLifeMsMax } from './open-requests.ts'
import { summaryOf } from './summary.ts'

export type RouteReason =
  | 'statements-missing'
  | 'policy-missing'
  | 'rule-missing'
  | 'approvers-too-few'
  | 'too-many-open-requests'
  | 'summary-too-long'
  | 'approval-needed'
  | 'asked-before'

/** Lets a command pass, or asks as many humans as its risk demands. Pure. */
export function decide(input: StageInput, context: StageContext<OpenRequests>): Verdict<RouteReason> {
  const { intent, command, statements } = input
  const { now, tables, memory } = context
  const identity = obligationsOf<IdentityObligations>(statements, 'identity-verify')
  const delegation = obligationsOf<DelegationObligations>(statements, 'delegation-check')
  const bounds = obligationsOf<BoundsObligations>(statements, 'semantic-bounds')
  if (!identity || !delegation || !bounds) return deny('statements-missing')
  const open = memory.get(intent.intentId)
  if (open || memory.hasEnded(intent.intentId)) return askedBefore(open?.escalation, now)

  const policy = tables['control.policies'].get('approval')
  if (policy?.kind !== 'approval') return deny('policy-missing')
  const { risk } = bounds
  const at = { device: command.device, capability: command.capability, risk }
  const rule = approvalRuleFor(policy, at)
  if (!rule) return deny('rule-missing', at)
  const by = { risk, policy: policy.revision }
  const lapsesAt = Math.min(...statements.map(({ expiresAt }) => expiresAt))
  if (rule.approvals === 0) {
    const obligations: ApprovalObligations = { approvals: [], required: 0 }
    return { verdict: 'ALLOW', obligations, expiresAt: lapsesAt, ...by }
  }

  const approvers = rule.approvers.filter((sub) => mayApprove(tables, sub, now))
  // Nobody approves alone what they asked for themselves.
  const others = approvers.filter((sub) => sub !== delegation.human).length
  if (approvers.length < rule.approvals || others === 0)
    return deny('approvers-too-few', { required: rule.approvals, active: approvers.length })
  if (memory.countOf(intent.jobId) >= policy.openRequestsMax)
    return deny('too-many-open-requests', { job: intent.jobId, max: policy.openRequestsMax })
  const summary = summaryOf({ command, identity, delegation, bounds, jobId: intent.jobId })
  if (summary === undefined) return deny('summary-too-long')

  const expiresAt = Math.min(now + Math.min(rule.expiresMs, requestLifeMsMax), lapsesAt)
  const { commandDigest } = statements.at(-1) as (typeof statements)[number]
  const previous = input.statementDigests.at(-1) as string
  const nonce = context.random().toString('base64url')
  const { intentId, jobId } = intent
  const obligations: Escalation = {
    request: { intentId, jobId, commandDigest, previous, summary, policy: policy.revision, risk, expiresAt, nonce },
    approvers,
    required: rule.approvals,
    answered: [],
  }
  return { verdict: 'ESCALATE', reasons: ['approval-needed'], obligations, expiresAt, ...by }
}

/** An intent that comes twice is decided once: the first request or decision stands, and this record ends nothing. */
function askedBefore(escalation: Escalation | undefined, now: number): Verdict<RouteReason> {
  const expiresAt = escalation?.request.expiresAt ?? now
  return { verdict: 'ESCALATE', reasons: ['asked-before'], obligations: { ...escalation }, expiresAt }
}
