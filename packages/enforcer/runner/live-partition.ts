import { eventId } from '@interlock/contracts'
import { isInPlace } from '@interlock/contracts/expected-offset'
import type { LogRecord } from '../kafka-port.ts'
import { OwnWrites } from './own-writes.ts'
import type { PartitionMemory } from './partition-memory.ts'
import { answer, expire, noReactions, park, type Reactions, type Reactor } from './reactions.ts'
import { flatEventId, readRecord } from './read-record.ts'
import { recallRecord } from './recall.ts'
import { writeAppendedAt } from './restore-plan.ts'
import type { Batch, SessionParts } from './session.ts'
import { WaitingInputs } from './waiting-inputs.ts'
import { writeReactions } from './write-reactions.ts'

/** A partition whose memory is restored: answers its inputs in order, for as long as its own outputs hold what it wrote. */
export class LivePartition<Memory> {
  readonly #parts: SessionParts<Memory>
  readonly #memory: PartitionMemory<Memory>
  readonly #reactor: Reactor<Memory>
  readonly #own: OwnWrites
  readonly #waiting: WaitingInputs
  /** Where each joined topic was taken up to. */
  readonly #next: Map<string, number>
  /** The last input of each topic that may be committed. */
  readonly #answered = new Map<string, LogRecord>()
  /** What had expired before we came is answered. */
  #hasTicked: boolean

  constructor(
    parts: SessionParts<Memory>,
    memory: PartitionMemory<Memory>,
    next: ReadonlyMap<string, number>,
    wake: () => void,
    fail: (error: unknown) => void,
  ) {
    this.#parts = parts
    this.#memory = memory
    this.#next = new Map(next)
    const own = new OwnWrites(new Map(parts.roles.answers.map((topic) => [topic, next.get(topic) ?? 0])))
    this.#own = own
    this.#hasTicked = parts.processor.due === undefined
    this.#reactor = { ...parts, memory, endOf: (topic) => own.endOf(topic) }
    this.#waiting = new WaitingInputs(parts.endsOfLogs, wake, fail)
  }

  /** Takes up what came; the inputs that are answered now, or what proves memory wrong. */
  async turn(batches: readonly Batch[], isTickDue: boolean): Promise<readonly LogRecord[] | string> {
    const { roles } = this.#parts
    // What was written must be known before the inputs that it answers are taken up, and what they rest on too.
    for (const batch of batches) {
      if (roles.inputs.includes(batch.topic)) continue
      const fault = roles.answers.includes(batch.topic) ? this.#readBack(batch) : this.#recall(batch)
      if (fault !== undefined) return fault
    }
    const reactions = noReactions()
    const done: LogRecord[] = []
    for (const topic of roles.inputs) {
      const ofTopic = batches.filter((batch) => batch.topic === topic)
      const records = [...this.#waiting.records(topic), ...ofTopic.flatMap((batch) => batch.records)]
      const answered = await this.#answerAll(records, reactions)
      this.#waiting.put(topic, records.slice(answered))
      done.push(...records.slice(0, answered))
      for (const { next } of ofTopic) if (next !== undefined) this.#next.set(topic, next)
    }
    // Silence counts only when all is read that had been said.
    const isTick =
      isTickDue && roles.inputs.every((topic) => (this.#next.get(topic) ?? 0) >= (this.#parts.plan.get(topic)?.high ?? 0))
    if (isTick) {
      await expire(this.#reactor, reactions, this.#parts.unwritable)
      this.#memory.forget(this.#parts.clock.now())
    }
    const fault = await writeReactions(reactions, this.#own, this.#parts)
    if (fault !== undefined) return fault
    this.#hasTicked ||= isTick
    this.#finish(done, reactions)
    return done
  }

  /** Own answers come back from the log. */
  #readBack({ topic, records, next }: Batch): string | undefined {
    for (const record of records) {
      const found = this.#own.readBack(record)
      if (found === 'diverged') return 'the log holds something else where our answer was'
      if (found === 'foreign') recallRecord(this.#parts, this.#memory, record)
    }
    if (next !== undefined) this.#own.readTo(topic, next)
    if (next !== undefined) this.#next.set(topic, next)
    return undefined
  }

  #recall({ topic, records, next }: Batch): string | undefined {
    const { processor, codec, clock } = this.#parts
    if (next !== undefined) this.#next.set(topic, next)
    for (const record of records) {
      const read = readRecord(codec, record)
      if (!read.ok || !isInPlace(record.offset, record.expectedOffset)) continue
      const isOutput = processor.outputs.includes(topic)
      const found = isOutput ? this.#own.readBackEvent(topic, flatEventId(read.value.record), read.value.bytes) : 'foreign'
      if (found === 'diverged') return 'another instance answered first'
      if (found === 'foreign') this.#memory.recall(read.value, clock.now())
    }
    return undefined
  }

  /** How many could be answered before one that must wait. */
  async #answerAll(records: readonly LogRecord[], reactions: Reactions): Promise<number> {
    for (const [index, record] of records.entries()) {
      if (this.#mustWait(record)) return index
      await this.#answer(record, reactions)
    }
    return records.length
  }

  #mustWait(record: LogRecord): boolean {
    const { processor, codec } = this.#parts
    if (!processor.lacks || !isInPlace(record.offset, record.expectedOffset)) return false
    const read = readRecord(codec, record)
    return read.ok && processor.lacks(this.#memory.value, read.value) && !this.#waiting.isAllRead(record, this.#next)
  }

  async #answer(record: LogRecord, reactions: Reactions): Promise<void> {
    if (!isInPlace(record.offset, record.expectedOffset)) return
    const { codec, observer, unwritable, processor } = this.#parts
    const read = readRecord(codec, record)
    const unwritten = unwritable.get(eventId(processor.name, record))
    if (read.ok && unwritten === undefined) return answer(this.#reactor, reactions, read.value)
    const [reason, detail] = read.ok ? [unwritten as string, {}] : [read.reason, read.detail]
    observer.parked(record.topic, reason)
    park(this.#reactor, reactions, record, reason, detail)
  }

  #finish(inputs: readonly LogRecord[], reactions: Reactions): void {
    const { observer, clock } = this.#parts
    if (inputs.length > 0) {
      const oldest = Math.min(...inputs.map(({ appendedAt }) => appendedAt))
      observer.answered(reactions.answers, inputs.length, clock.now() - oldest)
    }
    for (const record of inputs) this.#answered.set(record.topic, record)
    // Memory reaches back from what is committed: while something old has yet to expire, nothing newer is.
    if (this.#hasTicked) this.#commit()
  }

  #commit(): void {
    const { commit, partition } = this.#parts
    for (const [topic, { offset, appendedAt }] of this.#answered) {
      commit({ topic, partition, offset: offset + 1, metadata: writeAppendedAt(appendedAt) })
    }
    this.#answered.clear()
  }
}
