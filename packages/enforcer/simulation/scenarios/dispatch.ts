import { partitionOf } from '@interlock/contracts'
import { counted, type Fact, outgoing, readFact } from '../facts.ts'
import { outOfOrder, unanswered } from '../invariants.ts'
import type { Horizon, Scenario, Stagehands } from '../scenario.ts'
import {
  type Ack,
  backHalf,
  devicePartitions,
  jobPartitions,
  type Order,
  outHalf,
  type Receipt,
  type Ruling,
} from './dispatch-halves.ts'

const jobs = ['job-0', 'job-1', 'job-2', 'job-3', 'job-4']
const devices = ['laser', 'mill', 'press']

/** device-dispatch in small, both halves, with devices that answer late, twice, or never. */
export function dispatchScenario({ broker, scheduler, random }: Stagehands, horizon: Horizon): Scenario {
  const rulings = { broker, consumer: 'dispatch', input: 'allowed', output: 'rulings' }
  const orders = () => broker.partitions('orders').flat()
  return {
    name: 'dispatch',
    topics: [
      { name: 'allowed', key: 'job', partitions: jobPartitions },
      { name: 'rulings', key: 'job', partitions: jobPartitions },
      { name: 'orders', key: 'device', partitions: devicePartitions },
      { name: 'acks', key: 'device', partitions: devicePartitions },
      { name: 'receipts', key: 'job', partitions: jobPartitions },
    ],
    copied: ['allowed', 'rulings', 'orders', 'receipts'],
    processors: () => [outHalf(horizon, random), backHalf(horizon)],
    drive(timeMs) {
      for (let number = random.int(5, 25); number > 0; number -= 1) {
        const job = random.pick(jobs)
        // A third comes back under another event: a replay.
        const id = `intent-${random.chance(0.3) ? 1 : number}`
        const fact = { eventId: `allowed:${number}`, id, job: id === 'intent-1' ? 'job-1' : job, device: random.pick(devices) }
        const at = random.next() * timeMs
        scheduler.after(at, () => {
          const verdict = number % 5 === 0 ? 'DENY' : 'ALLOW'
          broker.append(outgoing('allowed', partitionOf(fact.job, jobPartitions), fact.job, { ...fact, verdict } as Fact))
        })
      }
      const executed = new Set<string>()
      broker.watch((record) => {
        if (record.topic !== 'orders') return
        const { id, nonce, device } = readFact<Order>(record)
        if (executed.has(id) || random.chance(0.3)) return
        executed.add(id)
        const ack = () => broker.append(outgoing('acks', record.partition, device, { id, nonce } as Ack))
        for (let count = random.chance(0.2) ? 2 : 1; count > 0; count -= 1) scheduler.after(random.next() * 500, ack)
      })
    },
    missing: () => {
      const sent = new Set(orders().map((record) => readFact<Order>(record).eventId))
      const receipts = broker.partitions('receipts').flatMap((log) => counted<Receipt>(log))
      const closed = new Set(receipts.filter(({ fact }) => fact.result !== 'rejected').map(({ fact }) => fact.id))
      const allowed = broker
        .partitions('rulings')
        .flatMap((log) => counted<Ruling>(log).filter(({ fact }) => fact.verdict === 'ALLOW'))
      return [
        ...unanswered(rulings, (fact) => (fact as Ruling).verdict === 'ALLOW'),
        ...unanswered({ broker, consumer: 'dispatch', input: 'acks', output: 'receipts' }, () => true),
        ...allowed
          .filter(({ fact }) => !sent.has(fact.eventId))
          .map(({ fact }) => `${fact.eventId} was allowed, but has no order`),
        ...allowed
          .filter(({ fact }) => !closed.has(fact.id))
          .map(({ fact }) => `${fact.id} has neither a verified ack nor a time-out`),
      ]
    },
    wrong: () => [...outOfOrder(rulings), ...judgeRulings(), ...judgeReceipts()],
  }

  function judgeRulings(): string[] {
    const wrong: string[] = []
    const allowed = new Map<string, Ruling>()
    const intents = new Set<string>()
    for (const { fact } of broker.partitions('rulings').flatMap((log) => counted<Ruling>(log))) {
      if (fact.verdict !== 'ALLOW') continue
      if (horizon.isWhole && intents.has(fact.id)) wrong.push(`${fact.id} was allowed twice`)
      intents.add(fact.id)
      allowed.set(fact.eventId ?? '', fact)
    }
    const bytes = new Map<string, Buffer>()
    for (const record of orders()) {
      const order = readFact<Order>(record)
      const event = order.eventId ?? ''
      if (allowed.get(event)?.nonce !== order.nonce) wrong.push(`order ${event} was sent, but is not what counts`)
      if (record.value && bytes.get(event)?.equals(record.value) === false) wrong.push(`order ${event} was sent with other bytes`)
      if (record.value) bytes.set(event, record.value)
      if (partitionOf(order.device, devicePartitions) !== record.partition) wrong.push(`order ${event} lies in another partition`)
    }
    return wrong
  }

  function judgeReceipts(): string[] {
    const wrong: string[] = []
    const timedOut = new Map<string, string>()
    const closed = new Set<string>()
    for (const { fact } of broker.partitions('receipts').flatMap((log) => counted<Receipt>(log))) {
      const event = fact.eventId ?? ''
      // An order sent again after an absence longer than memory reaches looks new to who judges it after yet another restart.
      if (horizon.isWhole && fact.result === 'timed-out' && (timedOut.get(fact.id) ?? event) !== event)
        wrong.push(`${fact.id} timed out twice`)
      if (fact.result === 'timed-out') timedOut.set(fact.id, event)
      if (fact.result !== 'rejected') closed.add(fact.id)
    }
    for (const { fact } of broker.partitions('receipts').flatMap((log) => counted<Receipt>(log))) {
      // Devices answer only orders that they have: whoever judges the ack must have it too.
      if (fact.result === 'rejected' && fact.why === 'unknown')
        wrong.push(`${fact.eventId} rejected the ack of an order that was sent`)
    }
    return wrong
  }
}
