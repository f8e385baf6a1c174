import { eventId, partitionOf } from '@interlock/contracts'
import type { Due, Processor } from '../../processor.ts'
import { counted, type Fact, factOf, outgoing, readFact, writeOf } from '../facts.ts'
import { outOfOrder, unanswered } from '../invariants.ts'
import type { Horizon, Scenario, Stagehands } from '../scenario.ts'

type Question = Fact & { readonly id: string; readonly isRisky: boolean; readonly waitMs: number }
type Verdict = Fact & {
  readonly id: string
  readonly verdict: 'ALLOW' | 'ESCALATE' | 'EXPIRED' | 'IGNORED'
  readonly until: number
}
type Approval = Fact & { readonly id: string }
type Open = Due & { readonly until: number }
type Memory = { readonly open: Map<string, Open>; readonly known: Set<string> }

const partitions = 3
const jobs = ['job-0', 'job-1', 'job-2', 'job-3', 'job-4']

/** approval-router in small: what is risky waits for a human's answer or for its expiry, whichever comes first. */
export function routerScenario({ broker, scheduler, random }: Stagehands, horizon: Horizon): Scenario {
  const answers = { broker, consumer: 'router', output: 'verdicts' }
  const ofQuestions = { ...answers, input: 'questions' }
  const ofApprovals = { ...answers, input: 'approvals' }
  return {
    name: 'router',
    topics: [
      { name: 'questions', key: 'job', partitions },
      { name: 'approvals', key: 'job', partitions },
      { name: 'verdicts', key: 'job', partitions },
    ],
    copied: ['questions', 'verdicts'],
    processors: () => [routerProcessor(horizon)],
    drive(timeMs) {
      for (let number = random.int(5, 25); number > 0; number -= 1) {
        const job = random.pick(jobs)
        const question = { eventId: `q:${number}`, id: `q-${number}`, isRisky: random.chance(0.7), waitMs: random.int(30, 500) }
        scheduler.after(random.next() * timeMs, () =>
          broker.append(outgoing('questions', partitionOf(job, partitions), job, question as Question)),
        )
      }
      const asked = new Set<string>()
      broker.watch((record) => {
        if (record.topic !== 'verdicts') return
        const { id, verdict } = readFact<Verdict>(record)
        if (verdict !== 'ESCALATE' || asked.has(id) || random.chance(0.4)) return
        asked.add(id)
        const job = record.key?.toString() ?? ''
        scheduler.after(random.next() * 400, () =>
          broker.append(outgoing('approvals', record.partition, job, { id } as Approval)),
        )
      })
    },
    missing: () => [
      ...unanswered(ofQuestions, () => true),
      ...unanswered(ofApprovals, () => true),
      ...broker.partitions('verdicts').flatMap(unended),
    ],
    wrong: () => [...outOfOrder(ofQuestions), ...outOfOrder(ofApprovals), ...broker.partitions('verdicts').flatMap(judge)],
  }
}

type Log = Parameters<typeof counted>[0]

function unended(log: Log): string[] {
  const open = new Set<string>()
  for (const { fact } of counted<Verdict>(log)) {
    if (fact.verdict === 'ESCALATE') open.add(fact.id)
    else if (fact.verdict !== 'IGNORED') open.delete(fact.id)
  }
  return [...open].map((id) => `${id} waits for ever`)
}

function judge(log: Log): string[] {
  const wrong: string[] = []
  const ended = new Set<string>()
  const open = new Map<string, Verdict & { readonly event: string }>()
  for (const { fact, record } of counted<Verdict>(log)) {
    if (fact.verdict === 'IGNORED') {
      // Nobody but who saw the question escalated approves it, so what it speaks of has been decided.
      if (!ended.has(fact.id)) wrong.push(`${fact.eventId} ignored an approval that was waited for`)
      continue
    }
    if (ended.has(fact.id)) wrong.push(`${fact.id} has a second end: ${fact.verdict} by ${fact.eventId}`)
    if (fact.verdict === 'ESCALATE') {
      open.set(fact.id, { ...fact, event: eventId('router', record) })
      continue
    }
    ended.add(fact.id)
    const waiting = open.get(fact.id)
    const isTick = fact.eventId?.startsWith('router:verdicts')
    if (fact.verdict === 'EXPIRED' && isTick && waiting?.event !== fact.eventId)
      wrong.push(`${fact.eventId} expired what did not wait`)
    if (fact.verdict === 'EXPIRED' && record.appendedAt < fact.until) wrong.push(`${fact.eventId} expired too early`)
  }
  return wrong
}

function routerProcessor(horizon: Horizon): Processor<Memory> {
  const verdict = (event: string, key: string, id: string, verdict: Verdict['verdict'], until = 0) => [
    writeOf('verdicts', key, { eventId: event, id, verdict, until } as Verdict),
  ]
  return {
    name: 'router',
    inputs: ['questions', 'approvals'],
    outputs: ['verdicts'],
    memories: [],
    broadcasts: [],
    tables: [],
    horizonMs: horizon.ms,
    remember: () => ({ open: new Map(), known: new Set() }),
    observe({ open, known }, incoming) {
      if (incoming.position.topic !== 'verdicts') return true
      const { id, verdict, until } = factOf<Verdict>(incoming)
      if (verdict === 'IGNORED') return true
      known.add(id)
      if (verdict === 'ESCALATE') open.set(id, { position: incoming.position, intentId: `${incoming.key} ${id}`, until })
      else open.delete(id)
      return true
    },
    lacks: ({ known }, incoming) => incoming.position.topic === 'approvals' && !known.has(factOf<Approval>(incoming).id),
    async react({ open }, incoming, { now }) {
      const event = eventId('router', incoming.position)
      if (incoming.position.topic === 'approvals') {
        const { id } = factOf<Approval>(incoming)
        const waiting = open.get(id)
        return verdict(event, incoming.key, id, waiting && waiting.until > now ? 'ALLOW' : waiting ? 'EXPIRED' : 'IGNORED')
      }
      const { id, isRisky, waitMs } = factOf<Question>(incoming)
      return verdict(event, incoming.key, id, isRisky ? 'ESCALATE' : 'ALLOW', isRisky ? now + waitMs : 0)
    },
    due: ({ open }, now) => [...open.values()].filter(({ until }) => until <= now),
    async expire({ open }, due) {
      const [key = '', id = ''] = due.intentId.split(' ')
      return verdict(eventId('router', due.position), key, id, 'EXPIRED', open.get(id)?.until)
    },
    forget: () => {},
  }
}
