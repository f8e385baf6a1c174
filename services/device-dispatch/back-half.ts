import {
  type Ack,
  type Detail,
  type DeviceId,
  type EventPosition,
  eventId,
  type IntentId,
  type JobId,
  type Order,
  type Receipt,
  type ReceiptStatement,
  type StageName,
} from '@interlock/contracts'
import {
  type EnforcerParts,
  type Incoming,
  isGenuine,
  type Processor,
  type ReactionContext,
  sealDecisions,
  signedEventId,
  unsigned,
} from '@interlock/enforcer'
import { canonicalBytes, digest } from '@interlock/trust'
import { type JudgedAck, judgeAck } from './judge-ack.ts'
import { horizonMs, type OrderInFlight, OrdersInFlight } from './orders-in-flight.ts'

const name = 'device-dispatch' satisfies StageName

/** By device: what became of each order, by its TPM's word or by the clock. Receipts go back to the jobs' partitions. */
export function backHalf(parts: EnforcerParts): Processor<OrdersInFlight> {
  return {
    name,
    half: 'back',
    inputs: ['acks'],
    outputs: ['receipts'],
    memories: ['dispatch'],
    broadcasts: ['receipts'],
    tables: ['control.devices', 'control.revocations'],
    horizonMs,
    remember: () => new OrdersInFlight(),
    eventOf: ({ record, position }) => (position.topic === 'acks' ? undefined : signedEventId(record)),
    observe(memory, incoming) {
      const { topic } = incoming.position
      if (topic === 'acks') return true
      if (!isGenuine(incoming, parts)) return false
      if (topic === 'dispatch') memory.addOrder(incoming.record as Order, incoming.position)
      else memory.addReceipt(incoming.record as Receipt)
      return true
    },
    lacks: (memory, { record }) => memory.get((record as Ack).intentId) === undefined,
    async react(memory, incoming, context) {
      const receipt = receiptOfAck(memory, incoming as Incoming<'Ack'>, context)
      return [{ topic: 'receipts', key: receipt.jobId, record: receipt }]
    },
    due: (memory, now) => memory.due(now),
    async expire(memory, { position, intentId }, { now }) {
      const order = memory.get(intentId)
      if (!order) return []
      const receipt = draftReceipt(order, position, {
        now,
        result: 'timed-out',
        reasons: [order.state === 'accepted' ? 'not-completed-in-time' : 'not-answered-in-time'],
        detail: { closesAt: order.closesAt },
      })
      return [{ topic: 'receipts', key: receipt.jobId, record: receipt }]
    },
    forget: (memory, now) => memory.forget(now),
    seal: (writes) => sealDecisions(writes, parts.key),
  }
}

function receiptOfAck(memory: OrdersInFlight, incoming: Incoming<'Ack'>, { now, tables }: ReactionContext): Receipt {
  const { record: ack, bytes, key, position } = incoming
  const order = memory.get(ack.intentId)
  const judged = judgeAck(ack, key, order, { memory, tables, now })
  const subject = order ?? { intentId: ack.intentId, jobId: ack.jobId, device: ack.device, orderDigest: noDigest }
  if (!judged.ok) {
    const { reason, detail } = judged
    return draftReceipt(subject, position, { now, result: 'rejected', status: ack.status, reasons: [reason], detail, ack: bytes })
  }
  const { statement } = judged.value
  const completionMs = tables['control.devices'].get(ack.device)?.completionMsMax ?? 0
  return draftReceipt(subject, position, {
    now,
    result: 'verified',
    status: statement.status,
    reasons: statement.reason ? [statement.reason.slice(0, 100)] : [],
    detail: statement.status === 'accepted' ? { completeBy: now + completionMs } : {},
    ack: bytes,
    judged: judged.value,
  })
}

/** Stands in a receipt of an ack that names no order of ours. */
const noDigest = digest(Buffer.alloc(0))

type Found = {
  readonly now: number
  readonly result: ReceiptStatement['result']
  readonly status?: string
  readonly reasons: readonly string[]
  readonly detail: Detail
  readonly ack?: Buffer
  readonly judged?: JudgedAck
}

function draftReceipt(
  { intentId, jobId, device, orderDigest }: Pick<OrderInFlight, 'intentId' | 'jobId' | 'device' | 'orderDigest'>,
  position: EventPosition,
  { now, result, status = '', reasons, detail, ack, judged }: Found,
): Receipt {
  const statement: ReceiptStatement = {
    stage: name,
    eventId: eventId(name, position),
    intentId,
    orderDigest,
    result,
    status,
    reasons: [...reasons],
    ack: ack ? digest(ack) : '',
    decidedAt: now,
  }
  const quote = judged?.quote
  return {
    eventId: eventId(name, position),
    intentId: intentId as IntentId,
    jobId: jobId as JobId,
    device: device as DeviceId,
    result,
    status,
    reasons: [...reasons],
    detail: JSON.stringify(detail),
    orderDigest,
    measured: JSON.stringify(judged?.statement.measured ?? {}),
    tpmClockMs: quote?.clockMs ?? 0,
    tpmResetCount: quote?.resetCount ?? 0,
    tpmRestartCount: quote?.restartCount ?? 0,
    tpmSafe: quote?.safe ?? false,
    tpmFirmware: quote?.firmwareVersion ?? '',
    pcrDigest: quote ? quote.pcrDigest.toString('base64url') : '',
    decidedAt: now,
    ack: ack ?? null,
    statement: unsigned(canonicalBytes(statement)),
  }
}
