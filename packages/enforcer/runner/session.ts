import { eventId, type Topology } from '@interlock/contracts'
import type { Clock, Commit, LogRecord, Writer } from '../kafka-port.ts'
import type { Processor, ReactionContext } from '../processor.ts'
import type { TopicRoles } from './co-partition.ts'
import { Flow } from './flow.ts'
import type { Observer } from './observer.ts'
import { OwnWrites } from './own-writes.ts'
import { PartitionMemory } from './partition-memory.ts'
import { answer, expire, noReactions, park, type Reactions, type Reactor } from './reactions.ts'
import { flatEventId, type RecordCodec, readRecord } from './read-record.ts'
import { type TopicPlan, writeAppendedAt } from './restore-plan.ts'
import { writeReactions } from './write-reactions.ts'

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
  /** Event ids whose answer was too large to be written. */
  readonly oversized: Set<string>
  readonly context: () => ReactionContext
  readonly pause: (topic: string) => void
  readonly resume: (topic: string) => void
  readonly commit: (commit: Commit) => void
  /** Memory is not what the logs say any more: it must be restored. */
  readonly onDiverged: (why: string) => void
  readonly onError: (error: unknown) => void
  readonly onRestored: () => void
}

type Batch = { readonly topic: string; readonly records: readonly LogRecord[]; readonly next: number | undefined }

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
  readonly #reactor: Reactor<Memory>
  /** Where each joined topic was read to. */
  readonly #next = new Map<string, number>()
  readonly #behind = new Set<string>()
  #queue: Batch[] = []
  /** Inputs that wait until memory is restored. */
  #held: LogRecord[] = []
  #own: OwnWrites | undefined
  #isReleased = false
  #isTickDue = false
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
    this.#reactor = { ...parts, memory: this.#memory, endOf: (topic) => this.#own?.endOf(topic) ?? -1 }
  }

  get isRestored(): boolean {
    return this.#own !== undefined
  }

  /** What is remembered now. */
  get memory(): Memory {
    return this.#memory.value
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
    if (!this.#own) return
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
      .catch((error: unknown) => {
        this.#isClosed = true
        this.#parts.onError(error)
      })
      .finally(() => {
        this.#turning = undefined
        if (this.#hasWork()) this.#wake()
      })
  }

  #hasWork(): boolean {
    return !this.#isClosed && (this.#queue.length > 0 || this.#isTickDue || (!this.#own && this.#isReadable()))
  }

  async #turns(): Promise<void> {
    while (this.#hasWork()) {
      await this.#turn(this.#takeBatches())
      // Lets the client fetch and send heartbeats between two long turns.
      if (this.#queue.length > 0) await this.#parts.clock.sleep(0)
    }
  }

  async #turn(batches: readonly Batch[]): Promise<void> {
    if (this.#own) return this.#live(batches)
    for (const batch of batches) this.#restore(batch)
    if (!this.#isReadable()) return
    const { answers } = this.#parts.roles
    this.#own = new OwnWrites(new Map(answers.map((topic) => [topic, this.#next.get(topic) ?? 0])))
    this.#parts.onRestored()
    const held = this.#held
    this.#held = []
    for (const record of held) this.#queue.push({ topic: record.topic, records: [record], next: undefined })
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
        this.#recall(record)
        this.#flow.done(topic, 1, sizeOf([record]))
      }
    }
    if (next === undefined) return
    this.#next.set(topic, next)
    if (next >= firstOpen) this.#behind.delete(topic)
  }

  async #live(batches: readonly Batch[]): Promise<void> {
    const { roles } = this.#parts
    const own = this.#own as OwnWrites
    const isAnswer = ({ topic }: Batch) => roles.answers.includes(topic)
    // Answers first: what another instance wrote to our output must be known before the inputs that it answers are taken up.
    for (const batch of batches.filter(isAnswer)) if (!this.#readBack(batch, own)) return
    const reactions = noReactions()
    const done: LogRecord[] = []
    for (const batch of batches.filter((batch) => !isAnswer(batch))) {
      const isInput = roles.inputs.includes(batch.topic)
      for (const record of batch.records) {
        if (isInput) done.push(record)
        if (isInput) await this.#answer(record, reactions)
        else if (!this.#recallLive(record, own)) return
      }
    }
    if (this.#isTickDue) await this.#tick(reactions)
    if (await this.#write(reactions, own)) this.#finish(done, reactions, batches)
  }

  /** Own answers come back from the log; false where they contradict memory. */
  #readBack({ records }: Batch, own: OwnWrites): boolean {
    for (const record of records) {
      const found = own.readBack(record)
      if (found === 'diverged') return this.#diverge('the log holds something else where our answer was')
      if (found === 'foreign') this.#recall(record)
    }
    return true
  }

  #recallLive(record: LogRecord, own: OwnWrites): boolean {
    const { processor, codec, clock } = this.#parts
    const read = readRecord(codec, record)
    if (!read.ok) return true
    const { topic } = record
    const found = processor.outputs.includes(topic)
      ? own.readBackEvent(topic, flatEventId(read.value.record), read.value.bytes)
      : 'foreign'
    if (found === 'diverged') return this.#diverge('another instance answered first')
    if (found === 'foreign') this.#memory.recall(read.value, clock.now())
    return true
  }

  /** What cannot be read of a memory is passed over: whoever answers that topic parks it. */
  #recall(record: LogRecord): void {
    const read = readRecord(this.#parts.codec, record)
    if (read.ok && this.#parts.roles.inputs.includes(record.topic)) this.#memory.meetInput(read.value, record.appendedAt)
    else if (read.ok) this.#memory.recall(read.value, record.appendedAt)
  }

  async #answer(record: LogRecord, reactions: Reactions): Promise<void> {
    const { codec, observer, oversized, processor } = this.#parts
    const read = readRecord(codec, record)
    if (read.ok && !oversized.has(eventId(processor.name, record))) return answer(this.#reactor, reactions, read.value)
    const [reason, detail] = read.ok ? ['answer-too-large', {}] : [read.reason, read.detail]
    observer.parked(record.topic, reason)
    park(this.#reactor, reactions, record, reason, detail)
  }

  async #tick(reactions: Reactions): Promise<void> {
    this.#isTickDue = false
    await expire(this.#reactor, reactions, this.#parts.oversized)
    this.#memory.forget(this.#parts.clock.now())
  }

  async #write(reactions: Reactions, own: OwnWrites): Promise<boolean> {
    const fault = await writeReactions(reactions, own, this.#parts)
    return fault === undefined || this.#diverge(fault)
  }

  #finish(inputs: readonly LogRecord[], reactions: Reactions, batches: readonly Batch[]): void {
    const { commit, observer, clock, partition } = this.#parts
    for (const { topic, records } of batches) this.#flow.done(topic, records.length, sizeOf(records))
    if (inputs.length === 0) return
    const oldest = Math.min(...inputs.map(({ appendedAt }) => appendedAt))
    observer.answered(reactions.answers, inputs.length, clock.now() - oldest)
    for (const topic of this.#parts.roles.inputs) {
      const last = inputs.findLast((record) => record.topic === topic)
      if (last) commit({ topic, partition, offset: last.offset + 1, metadata: writeAppendedAt(last.appendedAt) })
    }
  }

  #diverge(why: string): false {
    this.#isClosed = true
    this.#parts.onDiverged(why)
    return false
  }
}

const sizeOf = (records: readonly LogRecord[]) => records.reduce((sum, { value }) => sum + (value?.length ?? 0), 0)
