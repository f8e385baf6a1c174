import type { LogRecord, OutgoingRecord } from '../kafka-port.ts'

/**
 * Where own answers lie, and whether nobody else writes between them. Memory was folded as if each answer came next in its
 * log; a zombie's record in between, or other bytes in our place, prove that it was not so.
 */
export class OwnWrites {
  /** End of each own output, as far as it was read or written by us. */
  readonly #ends: Map<string, number>
  /** What we wrote and have not read back, by `topic:offset`. */
  readonly #unread = new Map<string, Buffer>()
  /** What we wrote to outputs that are partitioned otherwise, by `topic event`. */
  readonly #unreadEvents = new Map<string, Buffer>()

  constructor(ends: ReadonlyMap<string, number>) {
    this.#ends = new Map(ends)
  }

  endOf(topic: string): number {
    return this.#ends.get(topic) ?? -1
  }

  /** Says with each answer where it must come to lie: after what was read and written so far. */
  expect(records: readonly OutgoingRecord[]): readonly OutgoingRecord[] {
    const next = new Map(this.#ends)
    return records.map((record) => {
      const expectedOffset = next.get(record.topic) ?? -1
      next.set(record.topic, expectedOffset + 1)
      return { ...record, expectedOffset }
    })
  }

  /** Notes answers that the broker took; false where they do not lie where they were expected. */
  landed(records: readonly OutgoingRecord[], offsets: readonly number[]): boolean {
    return records.every((record, index) => {
      const offset = offsets[index] as number
      if (offset !== this.endOf(record.topic)) return false
      this.#ends.set(record.topic, offset + 1)
      this.#unread.set(`${record.topic}:${offset}`, record.value)
      return true
    })
  }

  /** What a record of an own output is: ours as written, another's that came after ours, or a contradiction. */
  readBack(record: LogRecord): 'ours' | 'foreign' | 'diverged' {
    const place = `${record.topic}:${record.offset}`
    const written = this.#unread.get(place)
    if (written) {
      this.#unread.delete(place)
      return record.value?.equals(written) ? 'ours' : 'diverged'
    }
    if (record.offset < this.endOf(record.topic)) return 'diverged'
    this.#ends.set(record.topic, record.offset + 1)
    return 'foreign'
  }

  /** An output was read up to here: what lies before without being a record (a transaction's marker) is passed over. */
  readTo(topic: string, next: number): void {
    if (next > this.endOf(topic)) this.#ends.set(topic, next)
  }

  expectEvent(topic: string, event: string, value: Buffer): void {
    this.#unreadEvents.set(`${topic} ${event}`, value)
  }

  /** The same for an output that is read as a broadcast: the first record of an event must be ours as written. */
  readBackEvent(topic: string, event: string | undefined, value: Buffer): 'ours' | 'foreign' | 'diverged' {
    const written = event === undefined ? undefined : this.#unreadEvents.get(`${topic} ${event}`)
    if (!written) return 'foreign'
    this.#unreadEvents.delete(`${topic} ${event}`)
    return value.equals(written) ? 'ours' : 'diverged'
  }
}
