import { type Codec, type EventPosition, eventId, type RecordName, type Records } from '@interlock/contracts'
import type { Incoming, Processor, ReactionContext, Tables, Write } from './processor.ts'

/**
 * One partition of a processor in memory, for tests of services: meets inputs, folds what is answered, seals it and keeps the log, so that
 * `restart` can restore memory from it. What the runner proves of crashes and zombies is not repeated here.
 */
export class TestPartition<Memory> {
  now: number
  memory: Memory
  readonly #processor: Processor<Memory>
  readonly #codec: Codec
  readonly #tables: Tables
  readonly #partition: number
  readonly #log: Incoming[] = []
  readonly #offsets = new Map<string, number>()
  #events = new Set<string>()

  constructor(processor: Processor<Memory>, parts: { codec: Codec; tables: Tables; partition: number; now: number }) {
    this.#processor = processor
    this.#codec = parts.codec
    this.#tables = parts.tables
    this.#partition = parts.partition
    this.now = parts.now
    this.memory = processor.remember()
  }

  /** A record comes by; what it is answered with, sealed. Empty where it is passed over or nobody counts it. */
  async meet(topic: string, key: string, record: Records[RecordName]): Promise<readonly Write[]> {
    const incoming = this.#append(topic, key, record)
    if (!this.#count(incoming) || !this.#processor.inputs.includes(topic)) return []
    return this.#answer(await this.#processor.react(this.memory, incoming, this.#context()))
  }

  /** What is due by now, each answered. */
  async tick(): Promise<readonly Write[]> {
    const writes: Write[] = []
    for (const due of this.#processor.due?.(this.memory, this.now) ?? []) {
      if (this.#events.has(`${eventId(this.#processor.name, due.position)}`)) continue
      writes.push(...(await this.#answer((await this.#processor.expire?.(this.memory, due, this.#context())) ?? [])))
    }
    this.#processor.forget(this.memory, this.now)
    return writes
  }

  /** Memory is lost and restored from the log; then what the last answered input may still lack. */
  async restart(): Promise<readonly Write[]> {
    this.memory = this.#processor.remember()
    this.#events = new Set()
    for (const incoming of this.#log) this.#count(incoming)
    const input = this.#log.findLast(({ position }) => this.#processor.inputs.includes(position.topic))
    return input && this.#processor.repeat ? await this.#processor.repeat(this.memory, input, this.#context()) : []
  }

  #append(topic: string, key: string, record: Records[RecordName]): Incoming {
    const incoming = { position: this.#place(topic), key, record, bytes: this.#codec.encode(topic, record) }
    this.#log.push(incoming)
    return incoming
  }

  #place(topic: string): EventPosition {
    const offset = this.#offsets.get(topic) ?? 0
    this.#offsets.set(topic, offset + 1)
    return { topic, partition: this.#partition, offset }
  }

  #count(incoming: Incoming): boolean {
    const event = this.#processor.eventOf?.(incoming)
    const place = `${incoming.position.topic} ${event}`
    if (event !== undefined && this.#events.has(place)) return false
    if (!this.#processor.observe(this.memory, incoming)) return false
    if (event !== undefined) this.#events.add(place).add(event)
    return true
  }

  async #answer(writes: readonly Write[]): Promise<readonly Write[]> {
    const places = writes.map(({ topic }) => this.#place(topic))
    for (const [index, { key, record }] of writes.entries())
      this.#count({ position: places[index] as EventPosition, key, record, bytes: Buffer.alloc(0) })
    const sealed = (await this.#processor.seal?.(writes)) ?? writes
    for (const [index, { topic, key, record }] of sealed.entries())
      this.#log.push({ position: places[index] as EventPosition, key, record, bytes: this.#codec.encode(topic, record) })
    return sealed
  }

  #context(): ReactionContext {
    let count = 0
    return { now: this.now, tables: this.#tables, random: () => Buffer.alloc(32, ++count), partitions: 6 }
  }
}
