import { readFileSync } from 'node:fs'
import { type ClickHouseClient, createClient } from '@clickhouse/client'
import { createCodec, type IntentId, type OutcomeStatus, partitionOf, readTopology, type SchemaIds } from '@interlock/contracts'
import { fetchSchemaIds } from '@interlock/contracts/registry'
import { type Stack, type System, serviceNames, startSystem } from '@interlock/ops/local'
import { readProgram } from '@interlock/ops/scenario/program'
import type { Step } from '@interlock/ops/scenario/watch'
import { World } from '@interlock/ops/scenario/world'
import { AssignerProtocol, Kafka, logLevel, type PartitionerArgs, type Producer } from 'kafkajs'
import { stackForTests } from '../stack.ts'
import { DeadLetters } from './dead-letters.ts'
import { kafkaDigests, rowDigests } from './records.ts'

type Parts = {
  readonly stack: Stack
  readonly system: System
  readonly world: World
  readonly kafka: Kafka
  readonly ids: SchemaIds
  readonly deadLetters: DeadLetters
  readonly clickhouse: ClickHouseClient
  readonly pen: Producer
}

/** Starts the services (all of them unless some are named) and two devices on the tests' stack, and watches what they write. */
export async function enterLive(services: readonly string[] = serviceNames): Promise<Live> {
  const { stack, directory } = await stackForTests()
  const system = await startSystem(stack, { directory, services, log: () => {} })
  const topology = readTopology()
  const ids = await fetchSchemaIds(stack.registry, topology)
  const codec = createCodec({ topology, ids })
  const kafka = new Kafka({ clientId: 'live-test', brokers: [stack.kafka], logLevel: logLevel.NOTHING })
  // Writes what no honest client would: where the record says, unchecked.
  const pen = kafka.producer({ idempotent: false, allowAutoTopicCreation: false, createPartitioner: asNamed })
  await pen.connect()
  const { url, username, password, database } = stack.clickhouse
  return new Live({
    stack,
    system,
    world: await World.enter({ kafka, codec, layout: system.layout, program: readProgram() }),
    kafka,
    ids,
    deadLetters: await DeadLetters.follow(kafka, codec),
    clickhouse: createClient({ url, username, password, database }),
    pen,
  })
}

/** The running system and everybody in it, for tests that look at the whole. */
export class Live {
  readonly stack: Stack
  readonly system: System
  readonly world: World
  readonly kafka: Kafka
  readonly ids: SchemaIds
  readonly deadLetters: DeadLetters
  readonly clickhouse: ClickHouseClient
  readonly #pen: Producer

  constructor(parts: Parts) {
    this.stack = parts.stack
    this.system = parts.system
    this.world = parts.world
    this.kafka = parts.kafka
    this.ids = parts.ids
    this.deadLetters = parts.deadLetters
    this.clickhouse = parts.clickhouse
    this.#pen = parts.pen
  }

  async leave(): Promise<void> {
    await Promise.all([this.world.leave(), this.deadLetters.stop(), this.#pen.disconnect(), this.clickhouse.close()])
    await this.system.stop()
  }

  /** Writes bytes to a place, as they are; the offset they got. */
  async writeBytes(
    topic: string,
    partition: number,
    key: Buffer | null,
    value: Buffer | null,
    timestamp?: string,
  ): Promise<number> {
    const message = { key, value, partition, ...(timestamp && { timestamp }) }
    const [written] = await this.#pen.send({ topic, acks: -1, messages: [message] })
    return Number(written?.baseOffset)
  }

  /** The same record under another schema id of the registry. */
  withSchemaId(value: Buffer, id: number): Buffer {
    const framed = Buffer.from(value)
    framed.writeInt32BE(id, 1)
    return framed
  }

  async writeMany(topic: string, partition: number, key: Buffer, values: readonly Buffer[]): Promise<void> {
    // A request takes a megabyte.
    for (let from = 0; from < values.length; from += 100) {
      const messages = values.slice(from, from + 100).map((value) => ({ key, value, partition }))
      await this.#pen.send({ topic, acks: -1, messages })
    }
  }

  /** The outcome, once it is there. @throws Error after the time, with what was seen. */
  async outcomeOf(intentId: IntentId, timeoutMs = 30_000) {
    const steps = await this.world.watch.until(intentId, (seen) => seen.some(({ kind }) => kind === 'outcome'), timeoutMs)
    const outcome = steps.flatMap((step) => (step.kind === 'outcome' ? [step.record] : []))[0]
    if (!outcome)
      throw new Error(`no outcome of ${intentId} in ${timeoutMs} ms; seen: ${steps.map(nameOf).join(', ') || 'nothing'}`)
    return outcome
  }

  /** The first refusal by a stage. */
  async refusalOf(intentId: IntentId): Promise<{ readonly by: string; readonly reason: string | undefined }> {
    const isRefusal = (step: Step) => step.kind === 'decision' && step.record.verdict === 'DENY'
    const steps = await this.world.watch.until(intentId, (seen) => seen.some(isRefusal), 30_000)
    const found = steps.find(isRefusal)
    if (found?.kind !== 'decision')
      throw new Error(`nobody refused ${intentId}; seen: ${steps.map(nameOf).join(', ') || 'nothing'}`)
    return { by: found.record.stage, reason: found.record.reasons[0] }
  }

  /** Distinct outcomes: a repeat of an event is one. */
  outcomesOf(intentId: IntentId): OutcomeStatus[] {
    const outcomes = this.world.watch.steps(intentId).flatMap((step) => (step.kind === 'outcome' ? [step.record] : []))
    return [...new Map(outcomes.map(({ eventId, status }) => [eventId, status])).values()]
  }

  /** Distinct orders in `dispatch`. */
  ordersOf(intentId: IntentId): number {
    const orders = this.world.watch.steps(intentId).flatMap((step) => (step.kind === 'order' ? [step.record.eventId] : []))
    return new Set(orders).size
  }

  /** How often a machine began it, by the devices' own journals: the one witness that no message can deceive. */
  executionsOf(intentId: IntentId): number {
    const lines = this.system.devices.flatMap(({ journal }) => readFileSync(journal, 'utf8').split('\n'))
    return lines.filter((line) => line.includes(intentId) && line.includes('"begun"')).length
  }

  /** Long enough for a second answer to show itself, if there were one. */
  quiet(): Promise<void> {
    return new Promise((resolve) => setTimeout(resolve, 1000))
  }

  /** Waits until audit has as many records as the topics hold. */
  async untilAudited(timeoutMs = 90_000): Promise<void> {
    const end = Date.now() + timeoutMs
    for (;;) {
      const [kept, written] = await Promise.all([rowDigests(this.clickhouse), kafkaDigests(this.kafka)])
      const missing = Object.keys(written).filter((place) => !(place in kept))
      if (missing.length === 0) return
      if (Date.now() > end) throw new Error(`audit lacks ${missing.length} records, such as ${missing[0]}`)
      await new Promise((resolve) => setTimeout(resolve, 500))
    }
  }

  /** How many partitions of its first topic each member of a service's group has. */
  async partitionsByMember(group: string): Promise<number[]> {
    const admin = this.kafka.admin()
    await admin.connect()
    try {
      const { groups } = await admin.describeGroups([group])
      return (groups[0]?.members ?? []).map(({ memberAssignment }) => firstTopicPartitions(memberAssignment)).toSorted()
    } finally {
      await admin.disconnect()
    }
  }

  partitionOf(key: string): number {
    return partitionOf(key, 6)
  }
}

function firstTopicPartitions(memberAssignment: Buffer): number {
  const assignment = AssignerProtocol.MemberAssignment.decode(memberAssignment)
  return Object.values(assignment?.assignment ?? {})[0]?.length ?? 0
}

const nameOf = (step: Step) =>
  step.kind === 'decision' ? `${step.record.stage} ${step.record.verdict} ${step.record.reasons.join(' ')}` : step.kind

/** kafkajs asks the partitioner even where the record names its partition. */
const asNamed =
  () =>
  ({ message }: PartitionerArgs) =>
    message.partition ?? 0
