import type { Approval, ApprovalRequest, Human } from '@interlock/contracts'
import { type ApprovalObligations, deny, type StageContext, type Verdict } from '@interlock/enforcer'
import { type ApprovalReason, canonicalBytes, digest, verifyApproval } from '@interlock/trust'
import { mayApprove } from './decide.ts'
import type { Escalation, OpenRequest } from './open-requests.ts'

export type AnswerReason =
  | 'answer-unexpected'
  | 'answer-late'
  | 'answer-not-an-approver'
  | 'answer-repeated'
  | 'answer-other-request'
  | `answer-${ApprovalReason}`
  | 'approval-needed'
  | 'approval-requester-alone'
  | 'approval-refused'
  | 'approval-expired'

export type Judged = {
  readonly verdict: Verdict<AnswerReason>
  /** Records of the approvals that count, this one included where it does. */
  readonly approvals: readonly Buffer[]
}

/** What a human's answer does to an open request: allows it, ends it, or leaves it open and says why. Pure. */
export async function judgeAnswer(
  open: OpenRequest,
  answer: { readonly approval: Approval; readonly bytes: Buffer },
  requester: string,
  context: Pick<StageContext<unknown>, 'now' | 'tables' | 'trust'>,
): Promise<Judged> {
  const { escalation, decision } = open
  const counted = decision.approvals
  const stayOpen = (reason: AnswerReason, answered = escalation.answered, approvals: readonly Buffer[] = counted): Judged => ({
    verdict: {
      verdict: 'ESCALATE',
      reasons: [reason],
      obligations: { ...escalation, answered } satisfies Escalation,
      expiresAt: escalation.request.expiresAt,
      risk: escalation.request.risk,
      policy: escalation.request.policy,
    },
    approvals,
  })

  const { approval, bytes } = answer
  const { now, tables, trust } = context
  if (!escalation.approvers.includes(approval.human) || !mayApprove(tables, approval.human, now))
    return stayOpen('answer-not-an-approver')
  if (escalation.answered.includes(approval.human)) return stayOpen('answer-repeated')
  const { rpId, origins } = trust.webauthn
  const human = tables['control.agents'].get(`human:${approval.human}`) as Human
  const verified = await verifyApproval({ approval, human, expected: { rpId, origins }, now })
  if (!verified.ok) return stayOpen(`answer-${verified.reason}`)
  if (!isAbout(verified.value, escalation)) return stayOpen('answer-other-request')

  // One no is enough: nobody is asked until somebody says yes.
  if (verified.value.answer === 'DENY')
    return { verdict: deny('approval-refused', { human: approval.human }), approvals: counted }

  const answered = [...escalation.answered, approval.human]
  const approvals = [...counted, bytes]
  if (answered.length < escalation.required) return stayOpen('approval-needed', answered, approvals)
  if (answered.every((sub) => sub === requester)) return stayOpen('approval-requester-alone', answered, approvals)
  const obligations: ApprovalObligations = { approvals: approvals.map((record) => digest(record)), required: escalation.required }
  const { policy, risk } = escalation.request
  return { verdict: { verdict: 'ALLOW', obligations, expiresAt: expiryOf(open), risk, policy }, approvals }
}

/** The very request that was asked, to the last member: an assertion for another one, or for an earlier asking, is none. */
function isAbout({ answer: _answer, human: _human, ...request }: ApprovalRequest, { request: asked }: Escalation): boolean {
  return canonicalBytes(request).equals(canonicalBytes(asked))
}

/** The decisions before it last longer than the request: the router's ALLOW counts until the first of them lapses. */
function expiryOf({ decision }: OpenRequest): number {
  const before = decision.statements
    .slice(0, -1)
    .map(({ statement }) => JSON.parse(statement.toString('utf8')).expiresAt as number)
  return Math.min(...before)
}
