import type { Topology } from '@interlock/contracts'
import type { Clock, Commit, Kafka, LogRecord, Membership, Writer } from '../kafka-port.ts'
import type { Processor, ReactionContext } from '../processor.ts'
import type { TopicRoles } from './co-partition.ts'
import { Follower } from './follower.ts'
import type { Observer } from './observer.ts'
import type { Outage } from './outage.ts'
import type { RecordCodec } from './read-record.ts'
import { endsOfLogs, type PartitionPlan, planPartitions } from './restore.ts'
import { Session } from './session.ts'

export type AssignmentParts<Memory> = {
  readonly processor: Processor<Memory>
  readonly roles: TopicRoles
  readonly topology: Topology
  readonly group: string
  readonly codec: RecordCodec
  readonly kafka: Kafka
  readonly clock: Clock
  readonly outage: Outage
  readonly observer: Observer
  readonly membership: Membership
  readonly partitions: readonly number[]
  readonly unwritable: Map<string, string>
  readonly openWriter: () => Promise<Writer>
  readonly commit: (commit: Commit) => void
  readonly context: () => ReactionContext
  readonly tablesRead: Promise<void>
  /** A name nobody else has: the group of a follower. */
  readonly uniqueName: () => string
  /** All partitions are restored. */
  readonly onRestored: () => void
  readonly onLost: (why: string, error?: unknown) => void
}

/** The partitions that are ours between two rebalances, restored together. It is never mended: when one proves wrong, a new one is made. */
export class Assignment<Memory> {
  readonly #parts: AssignmentParts<Memory>
  readonly #sessions = new Map<number, Session<Memory>>()
  #follower: Follower | undefined
  #isClosed = false

  constructor(parts: AssignmentParts<Memory>) {
    this.#parts = parts
  }

  /** Reads offsets, then lets the partitions flow. `before` is the end of the assignment before: its writes must have settled. */
  start(before: Promise<unknown>): void {
    this.#start(before).catch((error: unknown) => this.#lose('restoring failed', error))
  }

  get isRestored(): boolean {
    return (
      this.#sessions.size === this.#parts.partitions.length && [...this.#sessions.values()].every(({ isRestored }) => isRestored)
    )
  }

  get sessions(): ReadonlyMap<number, Session<Memory>> {
    return this.#sessions
  }

  records(topic: string, partition: number, records: readonly LogRecord[], next: number): void {
    this.#sessions.get(partition)?.accept(topic, records, next)
  }

  tick(): void {
    for (const session of this.#sessions.values()) session.tick()
  }

  /** Begins nothing new; resolves when all writing that was begun has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    void this.#follower?.stop()
    await Promise.all([...this.#sessions.values()].map((session) => session.close()))
  }

  async #start(before: Promise<unknown>): Promise<void> {
    const { processor, roles, kafka, clock, group, partitions, membership } = this.#parts
    await before
    if (this.#isClosed) return
    const writer = await this.#parts.openWriter()
    const { partitions: plans, since } = await planPartitions(kafka, {
      group,
      roles,
      partitions,
      horizonMs: processor.horizonMs,
      now: clock.now(),
    })
    if (this.#isClosed) return
    const startedAt = clock.now()
    for (const [partition, plan] of plans) this.#sessions.set(partition, this.#session(partition, plan, writer, startedAt))
    for (const [partition, plan] of plans) {
      for (const [topic, { from }] of plan) membership.start(topic, partition, from)
    }
    await Promise.all([this.#parts.tablesRead, this.#follow(since)])
    if (!this.#isClosed) for (const session of this.#sessions.values()) session.release()
  }

  #session(partition: number, plan: PartitionPlan, writer: Writer, startedAt: number) {
    const { clock, kafka, observer, membership, processor, roles } = this.#parts
    return new Session<Memory>({
      ...this.#parts,
      partition,
      plan,
      writer,
      // What is no partition of this group (a broadcast) flows by itself.
      pause: (topic) => processor.broadcasts.includes(topic) || membership.pause(topic, partition),
      resume: (topic) => processor.broadcasts.includes(topic) || membership.resume(topic, partition),
      endsOfLogs: () => endsOfLogs(kafka, roles, partition),
      onRestored: () => {
        observer.restored(partition, clock.now() - startedAt)
        if (this.isRestored) this.#parts.onRestored()
      },
      onDiverged: (why) => {
        observer.diverged(partition, why)
        this.#lose(why)
      },
      onError: (error) => this.#lose('writing failed', error),
    })
  }

  async #follow(since: number): Promise<void> {
    const { processor, kafka, clock, outage, uniqueName, group } = this.#parts
    if (processor.broadcasts.length === 0) return
    this.#follower = new Follower(kafka, clock, outage, {
      group: `${group}.broadcasts.${uniqueName()}`,
      topics: processor.broadcasts,
      since,
      onRecord: (record) => {
        for (const session of this.#sessions.values()) session.accept(record.topic, [record])
      },
    })
    await this.#follower.caughtUp
  }

  #lose(why: string, error?: unknown): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#parts.onLost(why, error)
  }
}
