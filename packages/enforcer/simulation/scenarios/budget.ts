import { type Amounts, BudgetLedger, commands, type Ending, type Held, heldOf } from '@interlock/bounds'
import { type ControlValue, eventId, partitionOf } from '@interlock/contracts'
import type { Processor } from '../../processor.ts'
import { counted, type Fact, factOf, outgoing, readFact, writeOf } from '../facts.ts'
import { isReadable, outOfOrder, unanswered } from '../invariants.ts'
import type { Horizon, Scenario, Stagehands } from '../scenario.ts'

type Ask = Fact & {
  readonly id: string
  readonly job: string
  readonly agent: string
  readonly amount: number
  readonly validUntil: number
}
type Answer = Fact & {
  readonly id: string
  readonly job: string
  readonly agent: string
  readonly amount: number
  readonly verdict: 'ALLOW' | 'DENY'
  readonly at: number
  /** By holder, what it has spent with this. */
  readonly spent: Readonly<Record<string, number>>
  /** What memory held of this partition's answers when it was decided. */
  readonly chain: number
}
/** `used` is what the machine says, -1 where it did not begin. */
type Receipt = Fact & { readonly id: string; readonly used: number }
type Memory = { chain: number; readonly ledger: BudgetLedger<null> }

const partitions = 3
/** A job that was stopped before anything began. */
const stoppedJob = 'job-6'
const jobs = ['job-0', 'job-1', 'job-2', 'job-3', 'job-4', 'job-5', stoppedJob]
/** What each agent has, and from whom: the children of one together were promised more than it has. */
const grants: Readonly<Record<string, { readonly joules: number; readonly from?: string }>> = {
  orchestrator: { joules: 100 },
  laser: { joules: 70, from: 'orchestrator' },
  mill: { joules: 60, from: 'orchestrator' },
  drill: { joules: 50, from: 'mill' },
}

/** Any two different histories have different chains (but for chance). */
const link = (chain: number, { eventId: event, verdict }: Answer) => partitionOf(`${chain} ${event} ${verdict}`, 0x7fffffff)

const joule = 10n ** 18n
const joules = (amount: number) => ({ dimension: 'energy', scaled: BigInt(amount) * joule })
const amountsOf = (amount: number): Amounts => ({ count: commands(1), energy: joules(amount) })

/** From the orchestrator down to the agent. */
function lineOf(job: string, agent: string): readonly Held[] {
  const { joules: max, from } = grants[agent] ?? { joules: 0 }
  const own = heldOf(`${job} ${agent}`, 1000, { energy: joules(max) })
  return [...(from === undefined ? [] : lineOf(job, from)), own]
}

const endingOf = ({ used }: Receipt): Ending =>
  used < 0 ? { kind: 'returned' } : { kind: 'used', measured: { joules: `${used}` }, isDone: true }

/** Budgets as semantic-bounds keeps them, by the same ledger; a decision depends on all before it, on the time and on a table. */
export function budgetScenario({ broker, scheduler, random }: Stagehands, horizon: Horizon): Scenario {
  const answers = { broker, consumer: 'budget', input: 'asks', output: 'answers' }
  const begun = scheduler.now()
  return {
    name: 'budget',
    topics: [
      { name: 'asks', key: 'job', partitions },
      { name: 'answers', key: 'job', partitions },
      { name: 'receipts', key: 'job', partitions },
      { name: 'control.stops', key: 'id', partitions: 1 },
    ],
    copied: ['answers', 'receipts'],
    processors: () => [budgetProcessor(horizon, begun)],
    drive(timeMs) {
      broker.append(outgoing('control.stops', 0, stoppedJob, { id: stoppedJob, revision: 1 } as Fact))
      const asks = random.int(10, 40)
      for (let number = 0; number < asks; number += 1) {
        const job = random.pick(jobs)
        const partition = partitionOf(job, partitions)
        const id = `ask-${number}`
        const amount = random.int(10, 60)
        scheduler.after(random.next() * timeMs, () => {
          const validUntil = scheduler.now() + random.int(20, 2000)
          const agent = random.pick(Object.keys(grants))
          broker.append(outgoing('asks', partition, job, { id, job, agent, amount, validUntil } as Fact))
          if (random.chance(0.05))
            broker.append({ topic: 'asks', partition, key: Buffer.from(job), value: Buffer.from('no ask') })
        })
        if (random.chance(0.5)) {
          const at = random.next() * timeMs * 1.2
          const used = random.int(-1, amount)
          const receipt = { eventId: `receipt:${id}`, id, used } as Fact
          scheduler.after(at, () => broker.append(outgoing('receipts', partition, job, receipt)))
        }
      }
    },
    missing: () => unanswered(answers, () => true),
    wrong: () => [...outOfOrder(answers), ...broker.partitions('answers').flatMap((_, partition) => judge(partition))],
  }

  function judge(partition: number): string[] {
    const wrong: string[] = []
    const settled = new Map<string, { readonly at: number; readonly used: number }>()
    for (const { fact, record } of counted<Receipt>(broker.log('receipts', partition)))
      settled.set(fact.id, { at: record.appendedAt, used: Math.max(0, fact.used) })
    const asked = new Map(
      broker
        .log('asks', partition)
        .filter(({ value }) => isReadable(value))
        .map((record) => [readFact<Ask>(record).id, record]),
    )
    const allowed: Answer[] = []
    let chain = 0
    for (const { fact, record } of counted<Answer>(broker.log('answers', partition))) {
      if (!asked.has(fact.id)) wrong.push(`${fact.eventId} answers nothing`)
      if (horizon.isWhole && fact.chain !== chain) wrong.push(`${fact.eventId} was decided with another memory than the log's`)
      chain = link(chain, fact)
      if (fact.verdict !== 'ALLOW') continue
      if (fact.job === stoppedJob) wrong.push(`${fact.eventId} was allowed though its job was stopped`)
      allowed.push(fact)
      // What was used, and all that may still be, under each who is charged: by the logs alone, however little memory holds.
      for (const { holder, limits } of lineOf(fact.job, fact.agent)) {
        const under = allowed.filter(({ job, agent }) => lineOf(job, agent).some((each) => each.holder === holder))
        const spent = under.reduce((sum, { id, amount }) => {
          const end = settled.get(id)
          return sum + (end && end.at <= record.appendedAt ? end.used : amount)
        }, 0)
        if (BigInt(spent) * joule > (limits.energy?.scaled ?? 0n))
          wrong.push(`${fact.eventId} overruns the budget of ${holder}: ${spent}`)
      }
    }
    return wrong
  }
}

/** `begun` is when the jobs began. */
function budgetProcessor(horizon: Horizon, begun: number): Processor<Memory> {
  return {
    name: 'budget',
    inputs: ['asks'],
    outputs: ['answers'],
    memories: ['receipts'],
    broadcasts: [],
    tables: ['control.stops'],
    horizonMs: horizon.ms,
    remember: () => ({ chain: 0, ledger: new BudgetLedger<null>(horizon.ms) }),
    observe(memory, incoming) {
      if (incoming.position.topic === 'receipts') {
        const receipt = factOf<Receipt>(incoming)
        memory.ledger.end(receipt.id, endingOf(receipt), 0)
      }
      if (incoming.position.topic !== 'answers') return true
      const answer = factOf<Answer>(incoming)
      memory.chain = link(memory.chain, answer)
      if (answer.verdict === 'ALLOW') charge(memory, answer)
      return true
    },
    async react(memory, incoming, { now, tables }) {
      const { id, job, agent, amount, validUntil } = factOf<Ask>(incoming)
      const line = lineOf(job, agent)
      const isStopped = (tables['control.stops'] as ReadonlyMap<string, ControlValue<'control.stops'>>).has(job)
      const isForgotten = now > begun + horizon.ms && line.some(({ holder }) => !memory.ledger.knows(holder))
      const isHeld = memory.ledger.shortage(line, amountsOf(amount)) === undefined && !isForgotten
      const verdict = isHeld && now <= validUntil && !isStopped ? 'ALLOW' : 'DENY'
      const sums = Object.entries(memory.ledger.spentWith(line, amountsOf(amount)))
      const spent = Object.fromEntries(sums.map(([holder, { energy }]) => [holder, Number((energy?.scaled ?? 0n) / joule)]))
      const event = eventId('budget', incoming.position)
      const answer = { eventId: event, id, job, agent, amount, verdict, at: now, spent, chain: memory.chain } as Answer
      return [writeOf('answers', incoming.key, answer)]
    },
    forget: (memory, now) => memory.ledger.forget(now),
  }
}

function charge({ ledger }: Memory, { id, job, agent, amount, spent, at }: Answer): void {
  ledger.reserve({
    names: [id],
    held: lineOf(job, agent),
    amounts: amountsOf(amount),
    reporting: { energy: { member: 'joules', unit: 'J' } },
    spent: Object.fromEntries(Object.entries(spent).map(([holder, sum]) => [holder, { energy: joules(sum) }])),
    at,
    about: null,
  })
}
