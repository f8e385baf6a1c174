import type { Topology } from '@interlock/contracts'
import type { Clock, Commit, LogRecord, Writer } from '../kafka-port.ts'
import type { Processor, ReactionContext } from '../processor.ts'
import type { TopicRoles } from './co-partition.ts'
import { Flow } from './flow.ts'
import { LivePartition } from './live-partition.ts'
import type { Observer } from './observer.ts'
import { PartitionMemory } from './partition-memory.ts'
import type { RecordCodec } from './read-record.ts'
import { recallRecord } from './recall.ts'
import type { TopicPlan } from './restore-plan.ts'

export type SessionParts<Memory> = {
  readonly processor: Processor<Memory>
  readonly roles: TopicRoles
  readonly topology: Topology
  readonly codec: RecordCodec
  readonly clock: Clock
  readonly observer: Observer
  readonly partition: number
  /** Of each joined topic. */
  readonly plan: ReadonlyMap<string, TopicPlan>
  readonly writer: Writer
  /** Event ids whose answer cannot be written, and why. */
  readonly unwritable: Map<string, string>
  readonly context: () => ReactionContext
  readonly pause: (topic: string) => void
  readonly resume: (topic: string) => void
  readonly commit: (commit: Commit) => void
  /** Where the joined topics of this partition end now. */
  readonly endsOfLogs: () => Promise<ReadonlyMap<string, number>>
  /** Memory is not what the logs say any more: it must be restored. */
  readonly onDiverged: (why: string) => void
  readonly onError: (error: unknown) => void
  readonly onRestored: () => void
}

export type Batch = { readonly topic: string; readonly records: readonly LogRecord[]; readonly next: number | undefined }

/** Records taken up in one turn: bounds a batch, and how long other work waits while memory is restored. */
const turnMax = 500

/**
 * One partition while it is ours: reads its logs to the end they had, then answers its inputs in order. Work is done in turns,
 * one after the other; what arrives meanwhile waits and makes the next batch.
 */
export class Session<Memory> {
  readonly #parts: SessionParts<Memory>
  readonly #flow: Flow
  readonly #memory: PartitionMemory<Memory>
  /** Where each joined topic was read to while memory is restored. */
  readonly #next = new Map<string, number>()
  readonly #behind = new Set<string>()
  #queue: Batch[] = []
  /** Inputs that wait until memory is restored. */
  #held: LogRecord[] = []
  #live: LivePartition<Memory> | undefined
  #isReleased = false
  #isTickDue = false
  /** Something outside of the queue calls for a turn. */
  #isCalled = false
  #isClosed = false
  #turning: Promise<void> | undefined

  constructor(parts: SessionParts<Memory>) {
    this.#parts = parts
    this.#flow = new Flow(parts.pause, parts.resume)
    for (const [topic, { from, end }] of parts.plan) {
      this.#next.set(topic, from)
      if (from < end) this.#behind.add(topic)
    }
    const firstInputs = new Map(parts.roles.inputs.map((topic) => [topic, parts.plan.get(topic)?.end ?? 0]))
    this.#memory = new PartitionMemory(parts.processor, parts.partition, firstInputs)
  }

  get isRestored(): boolean {
    return this.#live !== undefined
  }

  /** Records of a joined topic with the offset after them, or of a broadcast without. */
  accept(topic: string, records: readonly LogRecord[], next?: number): void {
    if (this.#isClosed) return
    this.#flow.arrived(topic, records.length, sizeOf(records))
    this.#queue.push({ topic, records, next })
    this.#wake()
  }

  /** Tables and broadcasts are read: inputs may be answered as soon as the partition's own logs are read too. */
  release(): void {
    this.#isReleased = true
    this.#wake()
  }

  tick(): void {
    if (!this.#live) return
    this.#isTickDue = true
    this.#wake()
  }

  /** Begins nothing new. Resolves when what was begun has ended. */
  async close(): Promise<void> {
    this.#isClosed = true
    await this.#turning
  }

  #wake(): void {
    if (this.#turning || this.#isClosed) return
    this.#turning = this.#turns()
      .catch((error: unknown) => this.#fail(error))
      .finally(() => {
        this.#turning = undefined
        if (this.#hasWork()) this.#wake()
      })
  }

  #hasWork(): boolean {
    if (this.#isClosed) return false
    return this.#queue.length > 0 || this.#isTickDue || this.#isCalled || (!this.#live && this.#isReadable())
  }

  async #turns(): Promise<void> {
    while (this.#hasWork()) {
      await this.#turn(this.#takeBatches())
      // Lets the client fetch and send heartbeats between two long turns.
      if (this.#queue.length > 0) await this.#parts.clock.sleep(0)
    }
  }

  async #turn(batches: readonly Batch[]): Promise<void> {
    if (this.#live) return this.#liveTurn(this.#live, batches)
    for (const batch of batches) this.#restore(batch)
    if (!this.#isReadable()) return
    this.#live = new LivePartition(
      this.#parts,
      this.#memory,
      this.#next,
      () => this.#call(),
      (error) => this.#fail(error),
    )
    this.#parts.onRestored()
    // Before what came later and still waits: each topic's order holds.
    this.#queue = [...this.#held.map((record) => ({ topic: record.topic, records: [record], next: undefined })), ...this.#queue]
    this.#held = []
  }

  #isReadable(): boolean {
    return this.#isReleased && this.#behind.size === 0
  }

  #takeBatches(): readonly Batch[] {
    let count = 0
    let batches = 0
    while (batches < this.#queue.length && count < turnMax) count += this.#queue[batches++]?.records.length ?? 0
    return this.#queue.splice(0, batches)
  }

  #restore({ topic, records, next }: Batch): void {
    const isInput = this.#parts.roles.inputs.includes(topic)
    const firstOpen = this.#parts.plan.get(topic)?.end ?? 0
    for (const record of records) {
      if (isInput && record.offset >= firstOpen) this.#held.push(record)
      else {
        recallRecord(this.#parts, this.#memory, record)
        this.#flow.done(topic, 1, sizeOf([record]))
      }
    }
    if (next === undefined) return
    this.#next.set(topic, next)
    if (next >= firstOpen) this.#behind.delete(topic)
  }

  async #liveTurn(live: LivePartition<Memory>, batches: readonly Batch[]): Promise<void> {
    const isTickDue = this.#isTickDue
    this.#isTickDue = false
    this.#isCalled = false
    const answered = await live.turn(batches, isTickDue)
    if (typeof answered === 'string') {
      this.#isClosed = true
      this.#parts.onDiverged(answered)
      return
    }
    const { inputs } = this.#parts.roles
    // Inputs that still wait for what they rest on count as waiting, so that what waits is bounded.
    const others = batches.filter(({ topic }) => !inputs.includes(topic))
    for (const { topic, records } of others) this.#flow.done(topic, records.length, sizeOf(records))
    for (const record of answered) this.#flow.done(record.topic, 1, sizeOf([record]))
  }

  #call(): void {
    this.#isCalled = true
    this.#wake()
  }

  #fail(error: unknown): void {
    if (this.#isClosed) return
    this.#isClosed = true
    this.#parts.onError(error)
  }
}

const sizeOf = (records: readonly LogRecord[]) => records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
