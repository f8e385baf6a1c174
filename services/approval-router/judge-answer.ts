import type { Approval, ApprovalRequest, Human, Result } from '@interlock/contracts'
import { accepted, refused } from '@interlock/contracts'
import {
  type ApprovalObligations,
  type DelegationObligations,
  deny,
  obligationsOf,
  type StageContext,
  type StageInput,
  type Verdict,
} from '@interlock/enforcer'
import { type ApprovalReason, canonicalBytes, digest, verifyApproval } from '@interlock/trust'
import { mayApprove } from './may-approve.ts'
import type { Escalation, OpenRequest } from './open-requests.ts'

/** Why an answer does not count. */
export type UncountedReason = 'answer-not-an-approver' | 'answer-repeated' | 'answer-other-request' | `answer-${ApprovalReason}`

export type AnswerReason =
  | UncountedReason
  | 'answer-unexpected'
  | 'answer-late'
  | 'approval-needed'
  | 'approval-requester-alone'
  | 'approval-refused'
  | 'approval-expired'
  | 'approver-gone'
  | 'policy-changed'
  | 'internal-error'

export type Judged = {
  readonly verdict: Verdict<AnswerReason>
  /** Records of the approvals that count, this one included where it does. */
  readonly approvals: readonly Buffer[]
}

type Context = Pick<StageContext<unknown>, 'now' | 'tables' | 'trust'>
type Answer = { readonly approval: Approval; readonly bytes: Buffer }

/** What a human's answer does to an open request: allows it, ends it, or leaves it open and says why. Pure. */
export async function judgeAnswer(
  { escalation, decision }: OpenRequest,
  { approval, bytes }: Answer,
  { statements }: Pick<StageInput, 'statements'>,
  context: Context,
): Promise<Judged> {
  const counted = await countable(approval, escalation, context)
  if (!counted.ok) return { verdict: stillOpen(counted.reason, escalation), approvals: decision.approvals }
  const { human } = approval

  // One no is enough: nobody is asked until somebody says yes.
  if (counted.value.answer === 'DENY') return { verdict: deny('approval-refused', { human }), approvals: decision.approvals }

  const answered = [...escalation.answered, human]
  const approvals = [...decision.approvals, bytes]
  const asked = { ...escalation, answered }
  if (answered.length < escalation.required) return { verdict: stillOpen('approval-needed', asked), approvals }
  const requester = obligationsOf<DelegationObligations>(statements, 'delegation-check')?.human
  if (answered.every((sub) => sub === requester)) return { verdict: stillOpen('approval-requester-alone', asked), approvals }

  // The last yes makes the decision, so all that it rests on must still hold now.
  const { policy, risk } = escalation.request
  const gone = answered.find((sub) => !mayApprove(context.tables, sub, context.now))
  if (gone !== undefined) return { verdict: deny('approver-gone', { human: gone }), approvals }
  const now = context.tables['control.policies'].get('approval')?.revision
  if (now !== policy) return { verdict: deny('policy-changed', { asked: policy, now: now ?? '' }), approvals }
  const obligations: ApprovalObligations = { approvals: approvals.map((record) => digest(record)), required: escalation.required }
  const expiresAt = Math.min(...statements.map((statement) => statement.expiresAt))
  return { verdict: { verdict: 'ALLOW', obligations, expiresAt, risk, policy }, approvals }
}

/** Whether the answer is one that was asked for: of an approver, their first, by their passkey, to this very request, in time. */
async function countable(
  approval: Approval,
  escalation: Escalation,
  { now, tables, trust }: Context,
): Promise<Result<ApprovalRequest, UncountedReason>> {
  if (!escalation.approvers.includes(approval.human) || !mayApprove(tables, approval.human, now))
    return refused('answer-not-an-approver')
  if (escalation.answered.includes(approval.human)) return refused('answer-repeated')
  const { rpId, origins } = trust.webauthn
  const human = tables['control.agents'].get(`human:${approval.human}`) as Human
  const verified = await verifyApproval({ approval, human, expected: { rpId, origins }, now })
  if (!verified.ok) return refused(`answer-${verified.reason}`, verified.detail)
  return isAbout(verified.value, escalation) ? accepted(verified.value) : refused('answer-other-request')
}

/** The very request that was asked, to the last member: an assertion for another one, or for an earlier asking, is none (ATTACKS 79). */
function isAbout({ answer: _answer, human: _human, ...request }: ApprovalRequest, { request: asked }: Escalation): boolean {
  return canonicalBytes(request).equals(canonicalBytes(asked))
}

/** An ESCALATE ends nothing: the same question stays before the humans, under the reason of this record. */
export function stillOpen(reason: AnswerReason, escalation: Escalation): Verdict<AnswerReason> {
  const { expiresAt, risk, policy } = escalation.request
  return { verdict: 'ESCALATE', reasons: [reason], obligations: escalation, expiresAt, risk, policy }
}
