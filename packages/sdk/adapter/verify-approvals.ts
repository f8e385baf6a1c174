import {
  type Approval,
  accepted,
  type CommandDigest,
  type DecisionStatement,
  type Intent,
  type OrderObligations,
  type Refused,
  type Result,
  refused,
} from '@interlock/contracts'
import { type ApprovalReason, digest, verifyApproval } from '@interlock/trust'
import { z } from 'zod'
import type { OrderContext } from './verify-order.ts'

export type ApprovalsReason =
  | 'approvals-differ'
  | 'approval-undecodable'
  | 'approval-human-unknown'
  | 'approval-other-request'
  | 'approval-denied'
  | 'approval-repeated'
  | 'approvals-too-few'
  | 'approval-requester-alone'
  | `approval-${ApprovalReason}`

/** What the signed statements say the approvals must be about. */
export type ApprovalsExpected = {
  readonly intent: Intent
  readonly commandDigest: CommandDigest
  /** Digest of semantic-bounds' statement. */
  readonly previous: string
  readonly approval: DecisionStatement
  readonly delegation: DecisionStatement
  readonly obligations: OrderObligations
}

const approvalObligationsSchema = z.object({ approvals: z.array(z.string()).max(16), required: z.int().min(0).max(16) })

/** The humans who consented, each by an assertion of a passkey pinned in the trust bundle. */
export async function verifyApprovals(
  records: readonly Buffer[],
  expected: ApprovalsExpected,
  context: OrderContext,
): Promise<Result<readonly string[], ApprovalsReason>> {
  const routed = approvalObligationsSchema.safeParse(expected.approval.obligations)
  if (!routed.success) return refused('approvals-differ', { cause: 'obligations of approval-router' })
  const digests = records.map((bytes) => digest(bytes) as string)
  // Both signers must mean these records and no others: approval-router counted them, device-dispatch sent them.
  if (!same(digests, expected.obligations.approvals) || !same(digests, routed.data.approvals)) {
    return refused('approvals-differ', { found: digests.length, ordered: expected.obligations.approvals.length })
  }

  const humans = new Set<string>()
  for (const bytes of records) {
    const human = await verifyOne(bytes, expected, context)
    if (!human.ok) return human
    if (humans.has(human.value)) return refused('approval-repeated', { human: human.value })
    humans.add(human.value)
  }
  if (humans.size < routed.data.required)
    return refused('approvals-too-few', { found: humans.size, required: routed.data.required })
  const requester = expected.delegation.obligations.human
  if (humans.size === 1 && humans.has(String(requester))) return refused('approval-requester-alone', { human: requester })
  return accepted([...humans])
}

async function verifyOne(
  bytes: Buffer,
  expected: ApprovalsExpected,
  context: OrderContext,
): Promise<Result<string, ApprovalsReason>> {
  const decoded = context.codec.decode('approvals', bytes, 'Approval')
  if (!decoded.ok) return refused('approval-undecodable', { cause: decoded.reason })
  const approval: Approval = decoded.value

  const human = context.trust.humans.get(approval.human)
  if (human?.state !== 'active' || !human.roles.includes('approver')) {
    return refused('approval-human-unknown', { human: approval.human })
  }

  const { rpId, origins } = context.trust.anchors.webauthn
  // As of the moment the router counted it: an answer given in time does not lapse while the order is on its way.
  const verified = await verifyApproval({ approval, human, expected: { rpId, origins }, now: expected.approval.decidedAt })
  if (!verified.ok) return refused(`approval-${verified.reason}`, verified.detail)
  return matches(verified.value, approval, expected) ?? accepted(approval.human)
}

function matches(
  request: { intentId: string; jobId: string; commandDigest: string; previous: string; human: string; answer: string },
  approval: Approval,
  { intent, commandDigest, previous }: ApprovalsExpected,
): Refused<ApprovalsReason> | undefined {
  const wanted = { intentId: intent.intentId, jobId: intent.jobId, commandDigest, previous, human: approval.human }
  const other = Object.entries(wanted).find(([name, value]) => request[name as keyof typeof wanted] !== value)
  if (other) return refused('approval-other-request', { member: other[0] })
  return request.answer === 'ALLOW' ? undefined : refused('approval-denied', { human: approval.human })
}

const same = (left: readonly string[], right: readonly string[]) =>
  left.length === right.length && left.every((value, index) => value === right[index])
