import { createHash } from 'node:crypto'
import { type Ack, type AckStatement, accepted, ackStatementSchema, type Result, refused } from '@interlock/contracts'
import type { Tables } from '@interlock/enforcer'
import { type TpmReason, type VerifiedQuote, verifyQuote } from '@interlock/tpm'
import { equalDigest, parseCanonical } from '@interlock/trust'
import type { OrderInFlight, OrdersInFlight } from './orders-in-flight.ts'

export type AckReason =
  | 'order-unknown'
  | 'device-differs'
  | 'device-unknown'
  | 'device-revoked'
  | 'statement-malformed'
  | 'columns-differ'
  | 'order-differs'
  | 'nonce-differs'
  | 'ack-repeated'
  | 'ack-late'
  | 'ack-equivocates'
  | `quote-${TpmReason}`

export type JudgedAck = { readonly statement: AckStatement; readonly quote: VerifiedQuote }

/**
 * Whether an ack is the enrolled TPM's word on this very order, and the first such word. Only that moves an order past "dispatched". Pure.
 */
export function judgeAck(
  ack: Ack,
  key: string,
  order: OrderInFlight | undefined,
  { memory, tables, now }: { readonly memory: OrdersInFlight; readonly tables: Tables; readonly now: number },
): Result<JudgedAck, AckReason> {
  if (!order) return refused('order-unknown')
  if (ack.device !== order.device || key !== order.device) return refused('device-differs', { ordered: order.device })
  const device = tables['control.devices'].get(order.device)
  if (!device) return refused('device-unknown')
  if ((tables['control.revocations'].get(`device:${order.device}`)?.from ?? Number.POSITIVE_INFINITY) <= now)
    return refused('device-revoked')

  const parsed = parseCanonical(ack.statement, { bytesMax: 65_536, depthMax: 8 })
  const read = parsed.ok ? ackStatementSchema.safeParse(parsed.value) : undefined
  if (!read?.success) return refused('statement-malformed')
  const statement = read.data
  const { tpm } = device
  const quote = verifyQuote({
    attest: ack.attest,
    signature: ack.signature,
    attestationKey: Buffer.from(tpm.attestationKey, 'base64url'),
    expectedExtraData: createHash('sha256').update(ack.statement).digest(),
    pcrs: tpm.pcrs,
    pcrDigest: Buffer.from(tpm.pcrDigest, 'base64url'),
    ...previousOf(memory, order.device),
  })
  if (!quote.ok) return refused(`quote-${quote.reason}`, quote.detail)

  // From here on it is the device that speaks; what remains is whether it speaks of this order, and for the first time.
  const { intentId, jobId, device: id, status } = ack
  if (statement.intentId !== intentId || statement.device !== id || statement.status !== status || jobId !== order.jobId)
    return refused('columns-differ')
  if (!equalDigest(statement.orderDigest, order.orderDigest)) return refused('order-differs', { acked: statement.orderDigest })
  if (!equalDigest(statement.nonce, order.nonce)) return refused('nonce-differs')
  const outOfTurn = turnOf(order, statement)
  return outOfTurn ? refused(outOfTurn) : accepted({ statement, quote: quote.value })
}

/** The first last word counts; a second one that differs is on record as what it is (ATTACKS 99). */
function turnOf({ state, closedBy }: OrderInFlight, { status }: AckStatement): AckReason | undefined {
  if (state === 'closed' && closedBy === '') return 'ack-late'
  if (state === 'closed') return closedBy === status || status === 'accepted' ? 'ack-repeated' : 'ack-equivocates'
  return state === 'accepted' && status === 'accepted' ? 'ack-repeated' : undefined
}

function previousOf(memory: OrdersInFlight, device: string) {
  const previous = memory.counters(device)
  return previous === undefined ? {} : { previous }
}
