import { z } from 'zod'
import { stageNames } from './ids.ts'

const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/)
const time = z.int().min(0).max(253_402_300_799_999)

/** What a stage signs (DESIGN "Digests and signatures"). `previous` is the digest of the statement before, for the first stage of the intent's bytes. */
export const decisionStatementSchema = z.strictObject({
  stage: z.enum(stageNames),
  eventId: z.string().max(400),
  intentId: z.string().max(64),
  commandDigest: digest,
  previous: digest,
  verdict: z.enum(['ALLOW', 'DENY', 'ESCALATE']),
  reasons: z.array(z.string().max(100)).max(16),
  /** What an ALLOW is bound to: each stage's README gives its members. */
  obligations: z.record(z.string(), z.unknown()),
  policy: z.string().max(200),
  /** Milliseconds since 1970, UTC. */
  decidedAt: time,
  expiresAt: time,
})

/** Obligations of a device-dispatch ALLOW: what makes the statement an order. */
export const orderObligationsSchema = z.strictObject({
  device: z.string().max(64),
  jobId: z.string().max(128),
  /** base64url, 32 random bytes; the ack must repeat it. */
  nonce: digest,
  /** After it the device refuses. Milliseconds since 1970. */
  deadline: time,
  /** Digests of the Approval records' bytes that came with the order, in their order. */
  approvals: z.array(digest).max(16),
})

/** What a device signs: its SHA-256 is the extraData of the quote. */
export const ackStatementSchema = z.strictObject({
  intentId: z.string().max(64),
  device: z.string().max(64),
  /** base64url SHA-256 of device-dispatch's statement. */
  orderDigest: digest,
  nonce: digest,
  status: z.enum(['accepted', 'completed', 'failed', 'refused']),
  reason: z.string().max(200),
  /** What the device did, by its own account: numbers and short texts. */
  measured: z.record(z.string().max(64), z.union([z.number(), z.string().max(200), z.boolean()])),
  at: time,
})

/** What device-dispatch signs of an ack, or of none. */
export const receiptStatementSchema = z.strictObject({
  stage: z.literal('device-dispatch'),
  eventId: z.string().max(400),
  intentId: z.string().max(64),
  /** Signed, so that a receipt copied under another job ends nothing there. */
  jobId: z.string().max(128),
  /** Empty where the ack names none. */
  orderDigest: digest.or(z.literal('')),
  result: z.enum(['verified', 'rejected', 'timed-out']),
  status: z.string().max(20),
  reasons: z.array(z.string().max(100)).max(16),
  /** Digest of the Ack record's bytes; empty on a time-out. */
  ack: z.string().max(43),
  decidedAt: time,
})

/** What a human is shown and signs. Its digest is the WebAuthn challenge. */
export const approvalRequestSchema = z.strictObject({
  intentId: z.string().max(64),
  jobId: z.string().max(128),
  commandDigest: digest,
  /** Digest of semantic-bounds' statement: all decisions before are bound by it. */
  previous: digest,
  answer: z.enum(['ALLOW', 'DENY']),
  human: z.string().max(256),
  /** Plain words, made from the command by approval-router. */
  summary: z.string().max(4000),
  policy: z.string().max(200),
  risk: z.enum(['low', 'medium', 'high']),
  expiresAt: time,
  nonce: digest,
})

export type DecisionStatement = z.infer<typeof decisionStatementSchema>
export type OrderObligations = z.infer<typeof orderObligationsSchema>
export type AckStatement = z.infer<typeof ackStatementSchema>
export type ReceiptStatement = z.infer<typeof receiptStatementSchema>
export type ApprovalRequest = z.infer<typeof approvalRequestSchema>
