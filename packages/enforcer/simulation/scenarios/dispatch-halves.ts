import { eventId } from '@interlock/contracts'
import type { Due, Processor } from '../../processor.ts'
import { type Fact, factOf, writeOf } from '../facts.ts'
import type { Random } from '../random.ts'
import type { Horizon } from '../scenario.ts'

export type Ruling = Fact & {
  readonly id: string
  readonly job: string
  readonly device: string
  readonly verdict: 'ALLOW' | 'DENY'
  readonly nonce: string
  readonly deadline: number
  readonly seal: string
}
export type Order = Omit<Ruling, 'verdict'>
export type Ack = Fact & { readonly id: string; readonly nonce: string }
export type Receipt = Fact & {
  readonly id: string
  readonly job: string
  readonly result: 'verified' | 'rejected' | 'timed-out'
  readonly why: string
}

type Rulings = { readonly intents: Set<string>; readonly byEvent: Map<string, Ruling> }
type Orders = { readonly byIntent: Map<string, Order & Due>; readonly closed: Set<string> }

export const jobPartitions = 3
export const devicePartitions = 2
const deadlineMs = 250

/** By job: rules once on each intent, and sends the order of an ALLOW, again where it may be lacking. */
export function outHalf(horizon: Horizon, random: Random): Processor<Rulings> {
  const orderOf = ({ verdict: _, ...order }: Ruling) => writeOf('orders', order.device, order)
  return {
    name: 'dispatch',
    half: 'out',
    inputs: ['allowed'],
    outputs: ['rulings', 'orders'],
    memories: [],
    broadcasts: [],
    tables: [],
    horizonMs: horizon.ms,
    remember: () => ({ intents: new Set(), byEvent: new Map() }),
    observe({ intents, byEvent }, incoming) {
      if (incoming.position.topic !== 'rulings') return true
      const ruling = factOf<Ruling>(incoming)
      intents.add(ruling.id)
      byEvent.set(ruling.eventId ?? '', ruling)
      return true
    },
    async react({ intents }, incoming, context) {
      const asked = factOf<Ruling>(incoming)
      if (asked.verdict !== 'ALLOW') return []
      const ruling: Ruling = {
        ...asked,
        eventId: eventId('dispatch', incoming.position),
        verdict: intents.has(asked.id) ? 'DENY' : 'ALLOW',
        nonce: context.random().toString('hex'),
        deadline: context.now + deadlineMs,
        seal: '',
      }
      const write = writeOf('rulings', incoming.key, ruling)
      return ruling.verdict === 'ALLOW' ? [write, orderOf(ruling)] : [write]
    },
    async repeat({ byEvent }, incoming) {
      const ruling = byEvent.get(eventId('dispatch', incoming.position))
      return ruling?.verdict === 'ALLOW' ? [orderOf(ruling)] : []
    },
    forget: () => {},
    async seal(writes) {
      const seal = random.bytes(8).toString('hex')
      return writes.map((write) => {
        const fact = factOf<Order>(write)
        return fact.seal === '' ? writeOf(write.topic, write.key, { ...fact, seal } as Fact) : write
      })
    },
  }
}

/** By device: what became of each order. The receipts go back to the jobs' partitions, so every instance reads all of them. */
export function backHalf(horizon: Horizon): Processor<Orders> {
  const receipt = (event: string, { id, job }: Pick<Order, 'id' | 'job'>, result: Receipt['result'], why = '') => [
    writeOf('receipts', job, { eventId: event, id, job, result, why } as Receipt),
  ]
  return {
    name: 'dispatch',
    half: 'back',
    inputs: ['acks'],
    outputs: ['receipts'],
    memories: ['orders'],
    broadcasts: ['receipts'],
    tables: [],
    horizonMs: horizon.ms,
    remember: () => ({ byIntent: new Map(), closed: new Set() }),
    observe({ byIntent, closed }, incoming) {
      const { topic } = incoming.position
      if (topic === 'orders') {
        const order = factOf<Order>(incoming)
        if (!byIntent.has(order.id)) byIntent.set(order.id, { ...order, position: incoming.position, intentId: order.id })
      }
      if (topic === 'receipts' && factOf<Receipt>(incoming).result !== 'rejected') closed.add(factOf<Receipt>(incoming).id)
      return true
    },
    lacks: ({ byIntent }, incoming) => !byIntent.has(factOf<Ack>(incoming).id),
    async react({ byIntent, closed }, incoming) {
      const { id, nonce } = factOf<Ack>(incoming)
      const event = eventId('dispatch', incoming.position)
      const order = byIntent.get(id)
      if (!order) return receipt(event, { id, job: 'unknown' }, 'rejected', 'unknown')
      if (closed.has(id)) return receipt(event, order, 'rejected', 'late')
      return order.nonce === nonce ? receipt(event, order, 'verified') : receipt(event, order, 'rejected', 'nonce')
    },
    due: ({ byIntent, closed }, now) => [...byIntent.values()].filter(({ id, deadline }) => deadline <= now && !closed.has(id)),
    expire: async ({ byIntent }, { position, intentId }) =>
      receipt(eventId('dispatch', position), byIntent.get(intentId) ?? { id: intentId, job: 'unknown' }, 'timed-out'),
    forget: () => {},
  }
}
