import { type DeviceSignatureReason, type VerifiedDeviceSignature, verifyDeviceSignature } from '@interlock/attestation'
import {
  type Ack,
  type AckStatement,
  accepted,
  ackStatementSchema,
  type Refused,
  type Result,
  refused,
} from '@interlock/contracts'
import type { Tables } from '@interlock/enforcer'
import { parseAttest } from '@interlock/tpm'
import { canonicalBytes, digest, equalDigest, parseCanonical } from '@interlock/trust'
import type { OrderInFlight, OrdersInFlight, Word } from './orders-in-flight.ts'

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
  | DeviceSignatureReason

export type JudgedAck = { readonly statement: AckStatement; readonly signed: VerifiedDeviceSignature }
type Context = { readonly memory: OrdersInFlight; readonly tables: Tables; readonly now: number }

/**
 * Whether an ack is the enrolled device's word on this very order, and the first such word. Only that moves an order past "dispatched". Pure.
 */
export function judgeAck(
  ack: Ack,
  key: string,
  order: OrderInFlight | undefined,
  { memory, tables, now }: Context,
): Result<JudgedAck, AckReason> {
  if (!order) return refused('order-unknown')
  if (ack.device !== order.device || key !== order.device) return refused('device-differs', { ordered: order.device })
  const device = tables['control.devices'].get(order.device)
  if (!device) return refused('device-unknown')
  if ((tables['control.revocations'].get(`device:${order.device}`)?.from ?? Number.POSITIVE_INFINITY) <= now)
    return refused('device-revoked')

  const statement = readAckStatement(ack)
  if (!statement) return refused('statement-malformed')
  const signed = verifyDeviceSignature(ack, device, memory.counters(signerOf(ack)))
  if (!signed.ok) return signed

  // From here on it is the device that speaks; what remains is whether it speaks of this order, and for the first time.
  const other = aboutAnother(ack, statement, order)
  if (other) return other
  const outOfTurn = turnOf(memory.wordOn(order.orderDigest), statement)
  return outOfTurn ? refused(outOfTurn) : accepted({ statement, signed: signed.value })
}

export function readAckStatement({ statement }: Ack): AckStatement | undefined {
  const parsed = parseCanonical(statement, { bytesMax: 65_536, depthMax: 8 })
  return parsed.ok ? ackStatementSchema.safeParse(parsed.value).data : undefined
}

/** The device's word: what it says of the work. A device that was cut off says it again later, with another `at`. */
export const saidBy = ({ status, reason, measured }: AckStatement): string => digest(canonicalBytes({ status, reason, measured }))

/** By which TPM's key an ack says to be signed; that it is, `verifyDeviceSignature` tells. */
export function signerOf({ attest }: Ack): string {
  const parsed = parseAttest(attest)
  return parsed.ok ? parsed.value.qualifiedSigner.toString('hex') : ''
}

function aboutAnother(ack: Ack, statement: AckStatement, order: OrderInFlight): Refused<AckReason> | undefined {
  const { intentId, jobId, device, status } = ack
  if (statement.intentId !== intentId || statement.device !== device || statement.status !== status || jobId !== order.jobId)
    return refused('columns-differ')
  if (!equalDigest(statement.orderDigest, order.orderDigest)) return refused('order-differs', { acked: statement.orderDigest })
  return equalDigest(statement.nonce, order.nonce) ? undefined : refused('nonce-differs')
}

/** The first last word counts; a second one that differs is on record as what it is (ATTACKS 99). */
function turnOf(word: Word | undefined, statement: AckStatement): AckReason | undefined {
  if (!word) return undefined
  if (word.state === 'closed' && word.said === '') return 'ack-late'
  if (word.said === saidBy(statement)) return 'ack-repeated'
  if (word.state === 'closed') return statement.status === 'accepted' ? 'ack-repeated' : 'ack-equivocates'
  return statement.status === 'accepted' ? 'ack-equivocates' : undefined
}
