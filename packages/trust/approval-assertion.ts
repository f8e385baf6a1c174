import {
  type Approval,
  type ApprovalRequest,
  accepted,
  approvalRequestSchema,
  type Human,
  type Result,
  refused,
} from '@interlock/contracts'
import { parseCanonical } from './canonical.ts'
import { digest } from './digest.ts'
import { type AssertionReason, verifyAssertion } from './passkey-assertion.ts'

export type ApprovalReason = AssertionReason | 'mismatch' | 'expired'

export type ApprovalToVerify = {
  readonly approval: Approval
  /** The human's entry in control.agents: only its credentials count. */
  readonly human: Human
  readonly expected: { readonly rpId: string; readonly origins: readonly string[] }
  readonly now: number
}

/** A human with a registered passkey signed exactly this request and answer, in time. */
export async function verifyApproval({
  approval,
  human,
  expected,
  now,
}: ApprovalToVerify): Promise<Result<ApprovalRequest, ApprovalReason>> {
  const parsed = parseCanonical(approval.request, { bytesMax: 16_384, depthMax: 8 })
  const request = parsed.ok ? approvalRequestSchema.safeParse(parsed.value) : undefined
  if (!request?.success) return refused('malformed')
  const { intentId, jobId, answer, human: who, expiresAt } = request.data
  if (intentId !== approval.intentId || jobId !== approval.jobId || answer !== approval.answer) return refused('mismatch')
  if (who !== approval.human || who !== human.sub) return refused('mismatch', { human: who })
  if (now >= expiresAt) return refused('expired', { expiresAt })
  const signed = await verifyAssertion({ assertion: approval, challenge: digest(approval.request), human, expected })
  return signed.ok ? accepted(request.data) : signed
}
