import { type Ack, type Order, parseEventId, partitionOf, type Receipt, type StageName } from '@interlock/contracts'
import {
  type Incoming,
  isGenuine,
  type Processor,
  type ReactionContext,
  type ServiceParts,
  sealDecisions,
  signedEventId,
  statementOf,
} from '@interlock/enforcer'
import { parseAttest } from '@interlock/tpm'
import { digest } from '@interlock/trust'
import { judgeAck, readAckStatement, saidBy } from './judge-ack.ts'
import { ownerIn, readOrder } from './order.ts'
import { type AckFacts, horizonMs, OrdersInFlight } from './orders-in-flight.ts'
import { draftReceipt } from './receipt.ts'

const name = 'device-dispatch' satisfies StageName

type Parts = Pick<ServiceParts, 'codec' | 'trust' | 'roots' | 'key' | 'topology'> & {
  readonly count: (receipt: Receipt) => void
}

/** By device: what became of each order, by its own word or by the clock. Receipts go back to the jobs' partitions. */
export function backHalf(parts: Parts): Processor<OrdersInFlight> {
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
      if (incoming.position.topic === 'receipts') return observeReceipt(memory, incoming as Incoming<'Receipt'>, parts)
      memory.partition ??= incoming.position.partition
      return incoming.position.topic === 'acks' || observeOrder(memory, incoming as Incoming<'Order'>, parts)
    },
    lacks: (memory, { record }) => memory.get((record as Ack).intentId) === undefined,
    async react(memory, incoming, context) {
      const receipt = receiptOfAck(memory, incoming as Incoming<'Ack'>, context)
      parts.count(receipt)
      // A record needs a key to be read; an ack without a job lies where its device's name puts it.
      return [{ topic: 'receipts', key: receipt.jobId || incoming.key, record: receipt }]
    },
    due: (memory, now) => memory.due(now),
    async expire(memory, { position, intentId }, { now }) {
      const order = memory.get(intentId)
      if (!order) return []
      const hasBegun = memory.wordOn(order.orderDigest)?.state === 'accepted'
      const receipt = draftReceipt(order, position, {
        now,
        result: 'timed-out',
        status: '',
        reasons: [hasBegun ? 'not-completed-in-time' : 'not-answered-in-time'],
        detail: { by: hasBegun ? order.endBy : order.beginBy },
        ack: null,
      })
      parts.count(receipt)
      return [{ topic: 'receipts', key: receipt.jobId, record: receipt }]
    },
    forget: (memory, now) => memory.forget(now),
    seal: (writes) => sealDecisions(writes, parts.key),
  }
}

/** An order counts where device-dispatch signed it and where its device's key puts it: a copy elsewhere would time out there. */
function observeOrder(memory: OrdersInFlight, incoming: Incoming<'Order'>, parts: Parts): boolean {
  const { record, position, key } = incoming
  const read = isGenuine(incoming, parts) ? readOrder(record) : undefined
  if (!read) return false
  const { device, jobId, nonce, deadline } = read.obligations
  const partitions = parts.topology.topics.get('dispatch')?.partitions ?? 1
  if (key !== device || partitionOf(device, partitions) !== position.partition) return false
  const { intentId, expiresAt } = read.statement
  const orderDigest = digest((record.statements.at(-1) as Order['statements'][number]).statement)
  const owner = ownerIn(record)
  memory.addOrder({ intentId, jobId, device, owner, orderDigest, nonce, position, beginBy: deadline, endBy: expiresAt })
  return true
}

/** Receipts are read by every partition; those of other partitions' acks and orders say nothing here. */
function observeReceipt(memory: OrdersInFlight, incoming: Incoming<'Receipt'>, parts: Parts): boolean {
  const event = parseEventId(incoming.record.eventId)
  if (!event || (memory.partition !== undefined && event.partition !== memory.partition)) return false
  const statement = isGenuine(incoming, parts) ? statementOf(incoming.record) : undefined
  if (!statement || !('result' in statement)) return false
  memory.addReceipt(statement, factsOf(incoming.record, statement.ack, parts))
  return true
}

/** Read again from the ack itself, whose digest is signed, not from the receipt's columns. */
function factsOf({ ack: bytes }: Receipt, signed: string, { codec }: Parts): AckFacts | undefined {
  if (!bytes || digest(bytes) !== signed) return undefined
  const ack = codec.decode('acks', bytes, 'Ack')
  const statement = ack.ok ? readAckStatement(ack.value) : undefined
  if (!ack.ok || !statement) return undefined
  const tpm = tpmFactsOf(ack.value)
  return { said: saidBy(statement), ...(tpm && { tpm }) }
}

/** None of a DICE's ack: it has no clock that could go back. */
function tpmFactsOf({ attest }: Ack): AckFacts['tpm'] {
  const parsed = parseAttest(attest)
  if (!parsed.ok) return undefined
  const { qualifiedSigner, clock } = parsed.value
  const { clockMs, resetCount, restartCount } = clock
  return { signer: qualifiedSigner.toString('hex'), counters: { clock: clockMs, resetCount, restartCount } }
}

function receiptOfAck(memory: OrdersInFlight, incoming: Incoming<'Ack'>, { now, tables }: ReactionContext): Receipt {
  const { record: ack, bytes, key, position } = incoming
  const order = memory.get(ack.intentId)
  const judged = judgeAck(ack, key, order, { memory, tables, now })
  const found = { now, status: ack.status, ack: bytes }
  if (!judged.ok) {
    const subject = order ?? { intentId: ack.intentId, jobId: ack.jobId, device: key, owner: '', orderDigest: '' }
    return draftReceipt(subject, position, { ...found, result: 'rejected', reasons: [judged.reason], detail: judged.detail })
  }
  const { reason } = judged.value.statement
  const reasons = reason === '' ? [] : [reason]
  return draftReceipt(order as NonNullable<typeof order>, position, {
    ...found,
    result: 'verified',
    reasons,
    detail: {},
    judged: judged.value,
  })
}
