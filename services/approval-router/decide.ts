import type { ApprovalPolicy } from '@interlock/contracts'
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
import type { Escalation, OpenRequests } from './open-requests.ts'
import { summaryOf } from './summary.ts'

export type RouteReason =
  | 'statements-missing'
  | 'policy-missing'
  | 'rule-missing'
  | 'approvers-too-few'
  | 'too-many-open-requests'
  | 'approval-needed'

/** Lets a command pass, or asks as many humans as its risk demands. Pure. */
export function decide(input: StageInput, context: StageContext<OpenRequests>): Verdict<RouteReason> {
  const { intent, command, statements } = input
  const { now, tables, memory } = context
  const identity = obligationsOf<IdentityObligations>(statements, 'identity-verify')
  const delegation = obligationsOf<DelegationObligations>(statements, 'delegation-check')
  const bounds = obligationsOf<BoundsObligations>(statements, 'semantic-bounds')
  const before = statements.at(-1)
  if (!identity || !delegation || !bounds || !before) return deny('statements-missing')

  const policy = tables['control.policies'].get('approval')
  if (policy?.kind !== 'approval') return deny('policy-missing')
  const { risk } = bounds
  const at = { device: command.device, capability: command.capability, risk }
  const rule = policy.rules.find((one) => matches(one, at))
  if (!rule) return deny('rule-missing', at)
  if (rule.approvals === 0) {
    const obligations: ApprovalObligations = { approvals: [], required: 0 }
    return { verdict: 'ALLOW', obligations, expiresAt: before.expiresAt, risk, policy: policy.revision }
  }

  const approvers = rule.approvers.filter((sub) => mayApprove(tables, sub, now))
  // Nobody approves alone what they asked for themselves.
  const others = approvers.filter((sub) => sub !== delegation.human).length
  if (approvers.length < rule.approvals || others === 0)
    return deny('approvers-too-few', { required: rule.approvals, active: approvers.length })
  if (memory.countOf(intent.jobId) >= policy.openRequestsMax)
    return deny('too-many-open-requests', { job: intent.jobId, max: policy.openRequestsMax })

  const expiresAt = Math.min(now + rule.expiresMs, before.expiresAt)
  const obligations: Escalation = {
    request: {
      intentId: intent.intentId,
      jobId: intent.jobId,
      commandDigest: before.commandDigest,
      previous: input.statementDigests.at(-1) as string,
      summary: summaryOf({ command, identity, delegation, bounds, jobId: intent.jobId }),
      policy: policy.revision,
      risk,
      expiresAt,
      nonce: context.random().toString('base64url'),
    },
    approvers,
    required: rule.approvals,
    answered: [],
  }
  return { verdict: 'ESCALATE', reasons: ['approval-needed'], obligations, expiresAt, risk, policy: policy.revision }
}

const matches = (
  rule: ApprovalPolicy['rules'][number],
  { device, capability, risk }: { device: string; capability: string; risk: string },
) => rule.device === device && rule.capability === capability && (rule.risk === 'any' || rule.risk === risk)

/** Whether a human may answer now: known, active, an approver, not revoked. */
export function mayApprove(tables: StageContext<unknown>['tables'], sub: string, now: number): boolean {
  const human = tables['control.agents'].get(`human:${sub}`)
  if (human?.kind !== 'human' || human.state !== 'active' || !human.roles.includes('approver')) return false
  return (tables['control.revocations'].get(`human:${sub}`)?.from ?? Number.POSITIVE_INFINITY) > now
}
