import { accepted, type Topology } from '@interlock/contracts'
import type { Kafka, LogRecord } from '../kafka-port.ts'
import { Outage } from '../runner/outage.ts'
import { ServiceRunner } from '../runner/service-runner.ts'
import { Broker } from './broker.ts'
import { codec } from './facts.ts'
import { Faults } from './faults.ts'
import { Instance } from './instance.ts'
import { interrupted } from './interrupted.ts'
import { Random } from './random.ts'
import type { Rule } from './rules.ts'
import type { Horizon, Scenario, Stagehands } from './scenario.ts'
import { Scheduler } from './scheduler.ts'
import { SimulatedKafka } from './simulated-kafka.ts'

export type ScenarioMaker = (hands: Stagehands, horizon: Horizon) => Scenario

/** Faults come within this time, and inputs too. */
const troubledMs = 1500
/** After it: the last late write has landed. */
const settlingMs = 2200
/** All must be answered by then. */
const patienceMs = 20_000

type Running = { readonly instance: Instance; readonly kafka: SimulatedKafka; readonly runner: ServiceRunner }

/** What a run must not have, and all that it wrote. */
export type Run = { readonly found: readonly string[]; readonly log: readonly LogRecord[] }

/** One run: a service of one to three instances, its inputs, and all that goes wrong. */
export async function simulate(seed: number, makeScenario: ScenarioMaker, rule?: Rule): Promise<Run> {
  const random = new Random(seed)
  const scheduler = new Scheduler(random)
  const faults = new Faults(random)
  const broker = new Broker(scheduler, random)
  broker.addTopic('deadletters', 2)
  // Without an absence the least horizon still reaches back over everything: brokers' clocks are allowed to differ by more.
  const horizon = random.chance(0.25) ? { ms: 600, isWhole: false } : { ms: 7 * 86_400_000, isWhole: true }
  const scenario = makeScenario({ broker, scheduler, random }, horizon)
  for (const { name, partitions } of scenario.topics) broker.addTopic(name, partitions)
  const topology = topologyOf(scenario)

  const found: string[] = []
  const living = new Set<Running>()
  let started = 0
  let isAbsent = false

  function start(): void {
    if (isAbsent) return
    started += 1
    const instance = new Instance(`instance-${started}`, scheduler, random, faults)
    const kafka = new SimulatedKafka(broker, instance)
    const port: Kafka = rule?.port?.(kafka) ?? kafka
    const processors = scenario.processors().map((processor) => interrupted(rule?.processor?.(processor) ?? processor, instance))
    let names = 0
    const runner = new ServiceRunner({
      name: scenario.name,
      processors,
      topology,
      codec,
      kafka: port,
      clock: instance,
      outage: new Outage(() => {}),
      observer: { answered: () => {}, parked: () => {}, restored: () => {}, diverged: () => {} },
      verifyEntry: ({ id, revision }) => accepted({ id, revision, value: {} }),
      random: () => random.bytes(8),
      uniqueName: () => `${instance.name}-${++names}`,
    })
    const running = { instance, kafka, runner }
    living.add(running)
    runner.run().catch((error: unknown) => {
      if (!instance.isDead) found.push(`${instance.name} ended: ${error instanceof Error ? error.stack : String(error)}`)
    })
  }

  function crash(running: Running): void {
    running.instance.crash()
    running.kafka.miss()
    living.delete(running)
    scheduler.after(random.chance(0.3) ? 0 : random.int(1, 500), start)
  }

  function cutOff({ instance, kafka }: Running): void {
    const ms = random.int(100, 1000)
    instance.cutOff(ms)
    kafka.miss()
    scheduler.after(ms, () => kafka.breakMemberships())
  }

  /** Nobody is there for longer than memory reaches, while inputs go on coming. */
  function leaveAlone(ms: number): void {
    for (const running of living) crash(running)
    isAbsent = true
    scheduler.after(ms, () => {
      isAbsent = false
      start()
    })
  }

  function join(): void {
    if (living.size < 3) {
      start()
      return
    }
    const leaving = random.pick([...living])
    living.delete(leaving)
    void leaving.runner.stop()
  }

  function copy(): void {
    const record = random.pick(broker.partitions(random.pick(scenario.copied)))?.at(-random.int(1, 4))
    if (!record?.value) return
    const { topic, partition, key, value, expectedOffset } = record
    // Of what counts, he may also leave out where it was to lie.
    const isBare = expectedOffset === undefined || (expectedOffset === record.offset && random.chance(0.5))
    broker.append({ topic, partition, key, value, ...(isBare ? {} : { expectedOffset }) })
  }

  const whenever = (count: number, happen: () => void) => {
    for (let each = 0; each < count; each += 1) scheduler.after(random.next() * troubledMs, happen)
  }
  const someone = () => random.pick([...living])
  for (let count = random.int(1, 2); count > 0; count -= 1) start()
  scenario.drive(troubledMs)
  whenever(faults.crashes, () => living.size > 0 && crash(someone()))
  whenever(faults.cutOffs, () => living.size > 0 && cutOff(someone()))
  whenever(faults.joins, join)
  // What is older than memory reaches counts as new: a service's horizon is longer than its records are valid.
  whenever(horizon.isWhole ? faults.copies : 0, copy)
  whenever(faults.aways, () => {
    broker.goAway(random.int(50, 600))
    if (random.chance(0.5)) for (const { kafka } of living) kafka.breakMemberships()
  })
  if (faults.absenceMs > 0) scheduler.after(random.next() * troubledMs, () => leaveAlone(faults.absenceMs))
  await scheduler.runUntil(() => false, troubledMs + faults.absenceMs)
  faults.end()
  await scheduler.runUntil(() => false, settlingMs)
  let lookAt = 0
  const isOver = () => {
    if (scheduler.now() < lookAt) return false
    lookAt = scheduler.now() + 50
    return found.length > 0 || scenario.missing().length === 0
  }
  if (!(await scheduler.runUntil(isOver, patienceMs))) found.push(...scenario.missing())
  return { found: [...found, ...scenario.wrong()], log: scenario.topics.flatMap(({ name }) => broker.partitions(name).flat()) }
}

function topologyOf(scenario: Scenario): Topology {
  const declared = [...scenario.topics, { name: 'deadletters', key: 'none' as const, partitions: 2 }]
  return {
    replicationFactor: 1,
    topics: new Map(
      declared.map(({ name, key, partitions }) => [
        name,
        {
          name,
          key,
          partitions,
          record: 'Decision',
          retention: '1d',
          writers: ['any'],
          readers: ['any'],
          maxMessageBytes: 1_048_576,
        },
      ]),
    ),
  }
}
