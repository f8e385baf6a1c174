import { randomUUID } from 'node:crypto'
import {
  type Approval,
  type ApprovalRequest,
  approvalRequestSchema,
  type Decision,
  type DecisionStatement,
  decisionStatementSchema,
} from '@interlock/contracts'
import { assertWithPasskey, type SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { canonicalBytes, digest, parseCanonical, type TrustAnchors, VerifiedRoots, verifySignedStatement } from '@interlock/trust'
import { z } from 'zod'

/** What an ESCALATE asks of humans, without the answer and who gives it. */
const requestSchema = approvalRequestSchema.omit({ answer: true, human: true })
const escalationSchema = z.object({ request: requestSchema, approvers: z.array(z.string()), required: z.int() })

export type PendingRequest = z.infer<typeof escalationSchema>

/**
 * The requests that still wait for an answer, from approval-router's decisions in their order. Only what approval-router signed
 * is shown: the record's flat fields could put other words before a human.
 */
export function pendingRequests(decisions: readonly Decision[], anchors: TrustAnchors, now: number): PendingRequest[] {
  const pending = new Map<string, PendingRequest>()
  for (const decision of decisions) {
    const statement = signedStatement(decision, anchors)
    if (!statement) continue
    const asked = statement.verdict === 'ESCALATE' ? escalationSchema.safeParse(statement.obligations) : undefined
    if (asked?.success && statement.expiresAt > now) pending.set(statement.intentId, asked.data)
    else pending.delete(statement.intentId)
  }
  return [...pending.values()]
}

function signedStatement(decision: Decision, anchors: TrustAnchors): DecisionStatement | undefined {
  const signed = decision.statements.at(-1)
  if (!signed) return undefined
  const signer = verifySignedStatement(signed, anchors, new VerifiedRoots())
  if (!signer.ok || signer.value.role.kind !== 'enforcer' || signer.value.role.stage !== 'approval-router') return undefined
  const parsed = parseCanonical(signed.statement, { bytesMax: 65_536, depthMax: 16 })
  const statement = parsed.ok ? decisionStatementSchema.safeParse(parsed.value) : undefined
  return statement?.success && statement.data.stage === 'approval-router' ? statement.data : undefined
}

/** A human's answer: their passkey signs the digest of exactly what they were shown. */
export function answerRequest({ request }: PendingRequest, answer: 'ALLOW' | 'DENY', passkey: SoftwarePasskey): Approval {
  const signed: ApprovalRequest = { ...request, answer, human: passkey.human }
  const bytes = canonicalBytes(signed)
  return {
    approvalId: randomUUID(),
    intentId: request.intentId as Approval['intentId'],
    jobId: request.jobId as Approval['jobId'],
    human: passkey.human,
    answer,
    request: bytes,
    ...assertWithPasskey(passkey, Buffer.from(digest(bytes), 'base64url')),
  }
}
