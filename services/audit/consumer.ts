import { setTimeout } from 'node:timers/promises'
import { isInPlace, readExpectedOffset } from '@interlock/contracts/expected-offset'
import kafkajs, { type Admin, type Kafka as Client, type Consumer, type EachBatchPayload } from 'kafkajs'
import { tableAssigner } from './assigner.ts'
import {
  AbandonedError,
  type Committed,
  type Fetched,
  type Offsets,
  type TableWriter,
  type TopicPartition,
} from './table-writer.ts'

/** The consumer group. */
export const group = 'audit'

/** A broker holds a fetch back until so much is there, or so long: that is what makes an insert of many rows. */
const fetchBytesMin = 262_144
const fetchWaitMs = 250
const heartbeatMs = 1000
const leaveMs = 3000

export type ConsumerParts = {
  readonly client: Client
  /** Topics with their partition counts, and the table that each goes to. */
  readonly topics: ReadonlyMap<string, { readonly table: string; readonly partitions: number }>
  readonly writer: (table: string, offsets: Offsets) => TableWriter
  /** Tables that are this instance's from now on. */
  readonly onAssigned: (tables: ReadonlySet<string>) => void
  /** Records not yet taken of a partition, after each fetch. */
  readonly onLag: (of: TopicPartition, records: number) => void
}

/** One membership in the group: from `run` until the broker is away for long, or `stop`. */
export class AuditConsumer {
  readonly #parts: ConsumerParts
  readonly #consumer: Consumer
  readonly #admin: Admin
  readonly #writers: ReadonlyMap<string, TableWriter>
  readonly #end = Promise.withResolvers<void>()
  /** Commits once, under the membership as it is now. `consumer.commitOffsets` is no use: it tries again after a re-join, and says nothing when it did not commit. */
  #commit: EachBatchPayload['commitOffsetsIfNecessary'] | undefined

  constructor(parts: ConsumerParts) {
    this.#parts = parts
    const retry = { initialRetryTime: 100, maxRetryTime: 1000, retries: 5 }
    this.#admin = parts.client.admin({ retry })
    this.#consumer = parts.client.consumer({
      groupId: group,
      partitionAssigners: [tableAssigner((topic) => this.#tableOf(topic))],
      sessionTimeout: 10_000,
      heartbeatInterval: heartbeatMs,
      rebalanceTimeout: 30_000,
      minBytes: fetchBytesMin,
      maxWaitTimeInMs: fetchWaitMs,
      allowAutoTopicCreation: false,
      // Nobody here writes transactions; a stranger's open one must not hide what lies behind it (ATTACKS 118).
      readUncommitted: true,
      retry: { ...retry, restartOnFailure: async () => false },
    })
    const tables = new Set([...parts.topics.values()].map(({ table }) => table))
    this.#writers = new Map([...tables].map((table) => [table, parts.writer(table, this.#offsets())]))
  }

  /** Consumes until `stop`. Rejects where kafkajs gave up: the caller waits, and makes another. */
  async run(): Promise<void> {
    const { events } = this.#consumer
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => this.#joined(Object.keys(payload.memberAssignment)))
    this.#consumer.on(events.CRASH, ({ payload }) => this.#end.reject(payload.error))
    try {
      await Promise.all([this.#admin.connect(), this.#consumer.connect()])
      await this.#consumer.subscribe({ topics: [...this.#parts.topics.keys()], fromBeginning: true })
      await this.#consumer.run({
        autoCommit: false,
        eachBatchAutoResolve: false,
        // All partitions of a fetch at once, or those of one table could not share an insert.
        partitionsConsumedConcurrently: [...this.#parts.topics.values()].reduce((sum, { partitions }) => sum + partitions, 0),
        eachBatch: (payload) => this.#take(payload),
      })
      await this.#end.promise
    } finally {
      // What is being inserted may end; where ClickHouse is away it is left to the next start.
      const left = Promise.allSettled([this.#consumer.disconnect(), this.#admin.disconnect()])
      await Promise.race([left, setTimeout(leaveMs, undefined, { ref: false })])
      for (const writer of this.#writers.values()) writer.reset()
      await left
    }
  }

  stop(): void {
    this.#end.resolve()
  }

  #joined(topics: readonly string[]): void {
    for (const writer of this.#writers.values()) writer.reset()
    this.#parts.onAssigned(new Set(topics.map((topic) => this.#tableOf(topic))))
  }

  async #take(payload: EachBatchPayload): Promise<void> {
    const { batch, isStale, resolveOffset, commitOffsetsIfNecessary } = payload
    // Fetched before a seek: it is fetched again.
    if (isStale()) return
    this.#commit = commitOffsetsIfNecessary
    this.#parts.onLag(batch, Number(batch.highWatermark) - Number(batch.lastOffset()) - 1)
    const fetched: Fetched = {
      topic: batch.topic,
      partition: batch.partition,
      last: Number(batch.lastOffset()),
      messages: batch.messages.map(({ offset, key, value, timestamp, headers }) => ({
        offset: Number(offset),
        key: key ?? Buffer.alloc(0),
        value,
        recordTime: Number(timestamp),
        isInPlace: isInPlace(Number(offset), readExpectedOffset(headers)),
      })),
    }
    const writer = this.#writers.get(this.#tableOf(batch.topic))
    const handled = await this.#beating(payload, writer?.accept(fetched) ?? Promise.resolve(undefined))
    if (handled !== undefined && !isStale()) resolveOffset(String(handled))
  }

  /** Keeps the membership while the insert waits for ClickHouse, for as long as that may take. */
  async #beating<Value>({ heartbeat, batch }: EachBatchPayload, work: Promise<Value>): Promise<Value> {
    let isOver = false
    const end = Promise.withResolvers<never>()
    const timer = setInterval(() => {
      if (!isOver) heartbeat().catch((error) => end.reject(error))
    }, heartbeatMs)
    try {
      return await Promise.race([work, end.promise])
    } catch (error) {
      // The group goes on without us, or is joined anew: what waits here is not ours to finish.
      if (!(error instanceof AbandonedError)) this.#writers.get(this.#tableOf(batch.topic))?.reset()
      throw error
    } finally {
      isOver = true
      clearInterval(timer)
    }
  }

  #offsets(): Offsets {
    return {
      read: (of) => this.#read(of),
      oldest: (of) => this.#oldest(of),
      commit: (offsets) => this.#commitOnce(offsets),
      seek: ({ topic, partition, offset }) => this.#consumer.seek({ topic, partition, offset: String(offset) }),
    }
  }

  async #read(of: readonly TopicPartition[]) {
    const fetched = await this.#admin.fetchOffsets({ groupId: group, topics: topicsOf(of) })
    const known = new Map(
      fetched.flatMap(({ topic, partitions }) => partitions.map((one) => [`${topic}:${one.partition}`, one] as const)),
    )
    return of.map(({ topic, partition }) => {
      const one = known.get(`${topic}:${partition}`)
      return {
        topic,
        partition,
        offset: one && Number(one.offset) >= 0 ? Number(one.offset) : undefined,
        metadata: one?.metadata ?? '',
      }
    })
  }

  async #oldest(of: readonly TopicPartition[]) {
    const lists = await Promise.all(
      topicsOf(of).map(async (topic) =>
        (await this.#admin.fetchTopicOffsets(topic)).map(({ partition, low }) => ({ topic, partition, offset: Number(low) })),
      ),
    )
    return lists.flat()
  }

  async #commitOnce(offsets: readonly Committed[]): Promise<void> {
    if (!this.#commit) throw new AbandonedError('nothing was fetched under this membership yet')
    const byTopic = Map.groupBy(offsets, ({ topic }) => topic)
    const topics = [...byTopic].map(([topic, of]) => ({
      topic,
      // kafkajs' types leave metadata out; its protocol carries it.
      partitions: of.map(({ partition, offset, metadata }) => ({ partition, offset: String(offset), metadata })),
    }))
    await this.#commit({ topics })
  }

  #tableOf(topic: string): string {
    return this.#parts.topics.get(topic)?.table ?? ''
  }
}

const topicsOf = (of: readonly TopicPartition[]) => [...new Set(of.map(({ topic }) => topic))]

/** What kafkajs logs is for who debugs it; audit says itself that the broker is away. */
export function connectKafka(clientId: string, brokers: readonly string[]): Client {
  return new kafkajs.Kafka({
    clientId,
    brokers: [...brokers],
    connectionTimeout: 3000,
    requestTimeout: 30_000,
    logLevel: kafkajs.logLevel.NOTHING,
  })
}
