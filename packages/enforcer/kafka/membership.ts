import { readExpectedOffset } from '@interlock/contracts/expected-offset'
import type { Kafka as Client, Consumer, EachBatchPayload } from 'kafkajs'
import { type Commit, InfrastructureError, type JoinRequest, type LogRecord, type Membership } from '../kafka-port.ts'
import { coPartitionAssigner } from './co-partition-assigner.ts'

/** A member that is killed is missed after this long; less would take a busy machine for a dead one. */
const sessionTimeoutMs = 6000
/** A fetch returns as soon as anything is there; when nothing is, this is how long it waits, and a heartbeat or a resumed partition with it. */
const fetchWaitMs = 100

/** A consumer group's member. Batches are handed over and the client fetches on: work never holds up a heartbeat. */
export class KafkajsMembership implements Membership {
  readonly ended: Promise<void>
  readonly #consumer: Consumer
  readonly #request: JoinRequest
  readonly #end = Promise.withResolvers<void>()
  readonly #assigned = new Map<string, readonly number[]>()
  /** Partitions that flow, or will when they are resumed. */
  readonly #started = new Set<string>()

  constructor(client: Client, request: JoinRequest) {
    this.#request = request
    this.ended = this.#end.promise
    // Whoever waits for the end hears of it; nobody has to.
    this.ended.catch(() => {})
    this.#consumer = client.consumer({
      groupId: request.group,
      partitionAssigners: [coPartitionAssigner],
      sessionTimeout: sessionTimeoutMs,
      heartbeatInterval: sessionTimeoutMs / 6,
      rebalanceTimeout: 15_000,
      minBytes: 1,
      maxWaitTimeInMs: fetchWaitMs,
      allowAutoTopicCreation: false,
      // None of our writers uses transactions: somebody's open one must not hold back what lies behind it (ATTACKS 118).
      readUncommitted: true,
      // The runner joins anew by itself, so that there is one way back.
      retry: { initialRetryTime: 100, maxRetryTime: 1000, retries: 4, restartOnFailure: async () => false },
    })
  }

  async join(): Promise<void> {
    const { events } = this.#consumer
    this.#consumer.on(events.GROUP_JOIN, ({ payload }) => this.#joined(payload.memberAssignment))
    this.#consumer.on(events.REBALANCING, () => this.#request.listener.revoked())
    this.#consumer.on(events.CRASH, ({ payload }) => this.#end.reject(infrastructure(payload.error)))
    this.#consumer.on(events.START_BATCH_PROCESS, ({ payload }) => {
      // Only transaction markers were there: no batch is handed over, but the log goes on after them.
      if (payload.batchSize === 0) this.#records(payload.topic, payload.partition, [], Number(payload.lastOffset) + 1)
    })
    try {
      await this.#consumer.connect()
      await this.#consumer.subscribe({ topics: [...this.#request.topics], fromBeginning: true })
      await this.#consumer.run({
        autoCommit: false,
        partitionsConsumedConcurrently: 16,
        eachBatch: async (payload) => this.#batch(payload),
      })
    } catch (error) {
      await this.#consumer.disconnect().catch(() => {})
      throw infrastructure(error)
    }
  }

  start(topic: string, partition: number, offset: number): void {
    this.#started.add(`${topic}:${partition}`)
    this.#consumer.seek({ topic, partition, offset: String(offset) })
    this.#consumer.resume([{ topic, partitions: [partition] }])
  }

  pause(topic: string, partition: number): void {
    this.#consumer.pause([{ topic, partitions: [partition] }])
  }

  resume(topic: string, partition: number): void {
    this.#consumer.resume([{ topic, partitions: [partition] }])
  }

  hold(): void {
    this.#started.clear()
    this.#consumer.pause([...this.#assigned].map(([topic, partitions]) => ({ topic, partitions: [...partitions] })))
  }

  async commit(commits: readonly Commit[]): Promise<void> {
    const offsets = commits.map(({ topic, partition, offset, metadata }) => ({
      topic,
      partition,
      offset: String(offset),
      metadata,
    }))
    await this.#consumer.commitOffsets(offsets).catch((error: unknown) => {
      throw infrastructure(error)
    })
  }

  async leave(): Promise<void> {
    await this.#consumer.disconnect().catch(() => {})
    this.#end.resolve()
  }

  /** Runs within kafkajs' own turn, before its next fetch: nothing flows until it is started. */
  #joined(assignment: Record<string, number[]>): void {
    this.#assigned.clear()
    for (const [topic, partitions] of Object.entries(assignment)) this.#assigned.set(topic, partitions)
    this.hold()
    this.#request.listener.assigned(this, this.#assigned)
  }

  #batch({ batch, isStale }: EachBatchPayload): void {
    // A batch fetched before a seek belongs to an assignment that is over.
    if (isStale()) return
    const { topic, partition } = batch
    const records = batch.messages.map(({ offset, key, value, timestamp, headers }) => ({
      topic,
      partition,
      offset: Number(offset),
      key,
      value,
      appendedAt: Number(timestamp),
      expectedOffset: readExpectedOffset(headers),
    }))
    this.#records(topic, partition, records, Number(batch.lastOffset()) + 1)
  }

  #records(topic: string, partition: number, records: readonly LogRecord[], next: number): void {
    if (!this.#started.has(`${topic}:${partition}`)) return
    try {
      this.#request.listener.records(topic, partition, records, next)
    } catch (error) {
      // A fault of ours, not of the broker: kafkajs would try the batch again for ever.
      this.#end.reject(error)
    }
  }
}

export function infrastructure(error: unknown): InfrastructureError {
  if (error instanceof InfrastructureError) return error
  const message = error instanceof Error ? error.message : String(error)
  return new InfrastructureError(
    'kafka-unavailable',
    `Kafka: ${message}. Waiting for the broker; nothing is decided meanwhile.`,
    error,
  )
}
