import type { EventPosition } from '@interlock/contracts'
import type { Incoming, Processor, Write } from '../processor.ts'
import { Answered } from './answered.ts'
import { flatEventId } from './read-record.ts'
import { Repeats } from './repeats.ts'

/** How an input stands when it comes by. `uncounted`: a repeat or a record that nobody counts. */
export type Standing = 'open' | 'answered' | 'uncounted'

/**
 * What is remembered of one partition: the processor's memory, the event ids seen, the inputs answered. Everything enters in the
 * order of the logs, and nothing else enters.
 */
export class PartitionMemory<Memory> {
  readonly value: Memory
  readonly #processor: Processor<Memory>
  readonly #repeats = new Repeats()
  readonly #answered: Answered

  /** `firstInputs`: the first offset of each input that is not known to be answered. */
  constructor(processor: Processor<Memory>, partition: number, firstInputs: ReadonlyMap<string, number>) {
    this.#processor = processor
    this.#answered = new Answered(processor.name, partition, firstInputs)
    this.value = processor.remember()
  }

  /** A record of an own output, a memory or a broadcast, as its log has it. */
  recall(incoming: Incoming, now: number): void {
    if (!this.#count(incoming, this.#eventOf(incoming), now)) return
    const event = flatEventId(incoming.record)
    if (event !== undefined && this.#processor.outputs.includes(incoming.position.topic)) this.#answered.add(event)
  }

  meetInput(incoming: Incoming, now: number): Standing {
    const isAnswered = this.#answered.take(incoming.position)
    if (!this.#count(incoming, this.#eventOf(incoming), now)) return 'uncounted'
    return isAnswered ? 'answered' : 'open'
  }

  /** What this instance is about to write; `position` is where it will lie. */
  foldOwn(write: Write, position: EventPosition, now: number): void {
    const incoming: Incoming = { position, key: write.key, record: write.record, bytes: Buffer.alloc(0) }
    this.#count(incoming, flatEventId(write.record), now)
  }

  /** Whether an event stands in an own output, by whomever. */
  isWritten(event: string): boolean {
    return this.#processor.outputs.some((topic) => this.#repeats.has(topic, event))
  }

  forget(now: number): void {
    this.#processor.forget(this.value, now)
    this.#repeats.forget(now - this.#processor.horizonMs)
  }

  #eventOf(incoming: Incoming): string | undefined {
    return this.#processor.eventOf ? this.#processor.eventOf(incoming) : flatEventId(incoming.record)
  }

  #count(incoming: Incoming, event: string | undefined, now: number): boolean {
    const { topic } = incoming.position
    if (event !== undefined && this.#repeats.has(topic, event)) return false
    if (!this.#processor.observe(this.value, incoming)) return false
    if (event !== undefined) this.#repeats.add(topic, event, now)
    return true
  }
}
