import { accepted, type Result, refused } from '@interlock/contracts'
import { type ApprovalObligations, obligationsOf, type StageContext, type StageInput } from '@interlock/enforcer'
import { type ApprovalReason, digest, verifyApproval } from '@interlock/trust'

export type ApprovalsReason =
  | 'approvals-differ'
  | 'approval-human-unknown'
  | 'approval-other-request'
  | 'approval-repeated'
  | 'approvals-too-few'
  | 'approval-requester-alone'
  | `approval-${ApprovalReason}`

/**
 * Verifies each approval that approval-router says it counted: a human's own assertion cannot be made up by a stage. Digests of the
 * records, in their order.
 */
export async function checkApprovals(
  { intent, statements, statementDigests, approvals }: StageInput,
  requester: string,
  { now, tables, trust }: Pick<StageContext<unknown>, 'now' | 'tables' | 'trust'>,
): Promise<Result<readonly string[], ApprovalsReason>> {
  const routed = obligationsOf<ApprovalObligations>(statements, 'approval-router')
  const digests = approvals.map(({ bytes }) => digest(bytes) as string)
  if (!routed || digests.join() !== routed.approvals.join()) return refused('approvals-differ', { found: digests.length })
  const router = statements.at(-1)
  const wanted = {
    intentId: intent.intentId,
    jobId: intent.jobId,
    commandDigest: router?.commandDigest,
    // semantic-bounds' statement: by it the request is bound to all that was decided before it was asked.
    previous: statementDigests[2],
    answer: 'ALLOW',
  }
  const humans = new Set<string>()
  for (const { approval } of approvals) {
    const human = tables['control.agents'].get(`human:${approval.human}`)
    const isRevoked = (tables['control.revocations'].get(`human:${approval.human}`)?.from ?? Number.POSITIVE_INFINITY) <= now
    if (human?.kind !== 'human' || human.state !== 'active' || !human.roles.includes('approver') || isRevoked)
      return refused('approval-human-unknown', { human: approval.human })
    const { rpId, origins } = trust.webauthn
    // As of when the router counted it: an answer given in time does not lapse on its way here.
    const verified = await verifyApproval({ approval, human, expected: { rpId, origins }, now: router?.decidedAt ?? now })
    if (!verified.ok) return refused(`approval-${verified.reason}`, verified.detail)
    const other = Object.entries(wanted).find(([name, value]) => verified.value[name as keyof typeof wanted] !== value)
    if (other) return refused('approval-other-request', { member: other[0] })
    if (humans.has(approval.human)) return refused('approval-repeated', { human: approval.human })
    humans.add(approval.human)
  }
  if (humans.size < routed.required) return refused('approvals-too-few', { found: humans.size, required: routed.required })
  if (humans.size === 1 && humans.has(requester)) return refused('approval-requester-alone', { human: requester })
  return accepted(digests)
}
