import { type ControlValue, eventId, partitionOf } from '@interlock/contracts'
import type { Processor } from '../../processor.ts'
import { counted, type Fact, factOf, outgoing, readFact, writeOf } from '../facts.ts'
import { isReadable, outOfOrder, unanswered } from '../invariants.ts'
import type { Horizon, Scenario, Stagehands } from '../scenario.ts'

type Ask = Fact & { readonly id: string; readonly job: string; readonly amount: number; readonly validUntil: number }
type Answer = Fact & {
  readonly id: string
  readonly job: string
  readonly amount: number
  readonly verdict: 'ALLOW' | 'DENY'
  /** What memory held of this partition's answers when it was decided. */
  readonly chain: number
}
type Receipt = Fact & { readonly id: string }
type Memory = {
  chain: number
  readonly allowed: Map<string, Map<string, number>>
  readonly settled: Set<string>
}

const budget = 100
const partitions = 3
/** A job that was stopped before anything began. */
const stoppedJob = 'job-6'
const jobs = ['job-0', 'job-1', 'job-2', 'job-3', 'job-4', 'job-5', stoppedJob]

/** Any two different histories have different chains (but for chance). */
const link = (chain: number, { eventId: event, verdict }: Answer) => partitionOf(`${chain} ${event} ${verdict}`, 0x7fffffff)

/** semantic-bounds in small: a budget a job, given back by receipts; a decision depends on all before it, on the time and on a table. */
export function budgetScenario({ broker, scheduler, random }: Stagehands, horizon: Horizon): Scenario {
  const answers = { broker, consumer: 'budget', input: 'asks', output: 'answers' }
  return {
    name: 'budget',
    topics: [
      { name: 'asks', key: 'job', partitions },
      { name: 'answers', key: 'job', partitions },
      { name: 'receipts', key: 'job', partitions },
      { name: 'control.stops', key: 'id', partitions: 1 },
    ],
    copied: ['answers', 'receipts'],
    processors: () => [budgetProcessor(horizon)],
    drive(timeMs) {
      broker.append(outgoing('control.stops', 0, stoppedJob, { id: stoppedJob, revision: 1 } as Fact))
      const asks = random.int(10, 40)
      for (let number = 0; number < asks; number += 1) {
        const job = random.pick(jobs)
        const partition = partitionOf(job, partitions)
        const id = `ask-${number}`
        scheduler.after(random.next() * timeMs, () => {
          const validUntil = scheduler.now() + random.int(20, 2000)
          broker.append(outgoing('asks', partition, job, { id, job, amount: random.int(10, 60), validUntil } as Fact))
          if (random.chance(0.05))
            broker.append({ topic: 'asks', partition, key: Buffer.from(job), value: Buffer.from('no ask') })
        })
        if (random.chance(0.5)) {
          const at = random.next() * timeMs * 1.2
          scheduler.after(at, () => broker.append(outgoing('receipts', partition, job, { eventId: `receipt:${id}`, id } as Fact)))
        }
      }
    },
    missing: () => unanswered(answers, () => true),
    wrong: () => [...outOfOrder(answers), ...broker.partitions('answers').flatMap((_, partition) => judge(partition))],
  }

  function judge(partition: number): string[] {
    const wrong: string[] = []
    const settledAt = new Map<string, number>()
    for (const { fact, record } of counted<Receipt>(broker.log('receipts', partition))) settledAt.set(fact.id, record.appendedAt)
    const asked = new Map(
      broker
        .log('asks', partition)
        .filter(({ value }) => isReadable(value))
        .map((record) => [readFact<Ask>(record).id, record]),
    )
    const allowed = new Map<string, Answer[]>()
    let chain = 0
    for (const { fact, record } of counted<Answer>(broker.log('answers', partition))) {
      if (!asked.has(fact.id)) wrong.push(`${fact.eventId} answers nothing`)
      if (horizon.isWhole && fact.chain !== chain) wrong.push(`${fact.eventId} was decided with another memory than the log's`)
      chain = link(chain, fact)
      if (fact.verdict !== 'ALLOW') continue
      if (fact.job === stoppedJob) wrong.push(`${fact.eventId} was allowed though its job was stopped`)
      const ofJob = [...(allowed.get(fact.job) ?? []), fact]
      allowed.set(fact.job, ofJob)
      const open = ofJob.filter(({ id }) => (settledAt.get(id) ?? Number.POSITIVE_INFINITY) > record.appendedAt)
      const spent = open.reduce((sum, { amount }) => sum + amount, 0)
      if (horizon.isWhole && spent > budget) wrong.push(`${fact.eventId} overruns the budget of ${fact.job}: ${spent}`)
    }
    return wrong
  }
}

function budgetProcessor(horizon: Horizon): Processor<Memory> {
  return {
    name: 'budget',
    inputs: ['asks'],
    outputs: ['answers'],
    memories: ['receipts'],
    broadcasts: [],
    tables: ['control.stops'],
    horizonMs: horizon.ms,
    remember: () => ({ chain: 0, allowed: new Map(), settled: new Set() }),
    observe(memory, incoming) {
      if (incoming.position.topic === 'receipts') memory.settled.add(factOf<Receipt>(incoming).id)
      if (incoming.position.topic !== 'answers') return true
      const answer = factOf<Answer>(incoming)
      memory.chain = link(memory.chain, answer)
      if (answer.verdict === 'ALLOW') {
        const ofJob = memory.allowed.get(answer.job) ?? new Map<string, number>()
        memory.allowed.set(answer.job, ofJob.set(answer.id, answer.amount))
      }
      return true
    },
    async react(memory, incoming, { now, tables }) {
      const { id, job, amount, validUntil } = factOf<Ask>(incoming)
      const open = [...(memory.allowed.get(job) ?? [])].filter(([allowed]) => !memory.settled.has(allowed))
      const spent = open.reduce((sum, [, each]) => sum + each, 0)
      const isStopped = (tables['control.stops'] as ReadonlyMap<string, ControlValue<'control.stops'>>).has(job)
      const isAllowed = spent + amount <= budget && now <= validUntil && !isStopped
      const verdict = isAllowed ? 'ALLOW' : 'DENY'
      const event = eventId('budget', incoming.position)
      return [writeOf('answers', incoming.key, { eventId: event, id, job, amount, verdict, chain: memory.chain } as Answer)]
    },
    forget: () => {},
  }
}
