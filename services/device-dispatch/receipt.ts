import {
  type Detail,
  type DeviceId,
  type EventPosition,
  eventId,
  type IntentId,
  type JobId,
  type Receipt,
  type ReceiptStatement,
} from '@interlock/contracts'
import { unsigned } from '@interlock/enforcer'
import { canonicalBytes, digest } from '@interlock/trust'
import type { JudgedAck } from './judge-ack.ts'
import type { OrderInFlight } from './orders-in-flight.ts'

/** What a receipt is about; `orderDigest` and `owner` are empty where an ack names no order of ours. */
export type ReceiptSubject = Pick<OrderInFlight, 'intentId' | 'jobId' | 'device' | 'owner' | 'orderDigest'>

export type Finding = {
  readonly now: number
  readonly result: ReceiptStatement['result']
  readonly status: string
  readonly reasons: readonly string[]
  readonly detail: Detail
  /** The Ack record's bytes; none on a time-out. */
  readonly ack: Buffer | null
  readonly judged?: JudgedAck
}

/** A receipt with its unsigned statement: the batch's seal signs it. */
export function draftReceipt(subject: ReceiptSubject, position: EventPosition, finding: Finding): Receipt {
  const { now, result, status, detail, ack, judged } = finding
  // An ack names what it likes: the bounds are those of the statement, without which nobody could read our own answer.
  const about = { intentId: subject.intentId.slice(0, 64), jobId: subject.jobId.slice(0, 128), orderDigest: subject.orderDigest }
  const reasons = finding.reasons.map((reason) => reason.slice(0, 100))
  const id = eventId('device-dispatch', position)
  const statement: ReceiptStatement = {
    stage: 'device-dispatch',
    eventId: id,
    ...about,
    result,
    status,
    reasons,
    ack: ack ? digest(ack) : '',
    decidedAt: now,
  }
  const quote = judged?.signed.kind === 'tpm' ? judged.signed.quote : undefined
  return {
    eventId: id,
    ...about,
    intentId: about.intentId as IntentId,
    jobId: about.jobId as JobId,
    device: subject.device.slice(0, 64) as DeviceId,
    owner: subject.owner,
    result,
    status,
    reasons,
    detail: JSON.stringify(detail),
    measured: JSON.stringify(judged?.statement.measured ?? {}),
    tpmClockMs: quote?.clockMs ?? 0,
    tpmResetCount: quote?.resetCount ?? 0,
    tpmRestartCount: quote?.restartCount ?? 0,
    tpmSafe: quote?.safe ?? false,
    tpmFirmware: quote?.firmwareVersion ?? '',
    pcrDigest: quote ? quote.pcrDigest.toString('base64url') : '',
    decidedAt: now,
    ack,
    statement: unsigned(canonicalBytes(statement)),
  }
}
