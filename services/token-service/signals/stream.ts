import type { Receiver } from './receivers.ts'
import type { SecurityEventToken } from './security-event-token.ts'

/** Where an entry lies: its topic has one partition. */
export type Place = { readonly topic: string; readonly offset: number }

/** So many SETs wait for a receiver; then no more entries are read for it, and they wait in Kafka. */
export const waitingMax = 1000

/**
 * What one receiver was not yet told, oldest first. It keeps nothing: from which offset on a restart must read is known by what waits still,
 * and the receiver's acknowledgement is what ends it.
 */
export class Stream {
  readonly receiver: Receiver
  readonly #waiting = new Map<string, SecurityEventToken & { readonly place?: Place }>()
  readonly #read = new Map<string, number>()
  #changed = Promise.withResolvers<void>()
  #pollWaiting: AbortController | undefined
  /** When it was last asked to verify, milliseconds since 1970. */
  verifiedAt = Number.NEGATIVE_INFINITY

  constructor(receiver: Receiver) {
    this.receiver = receiver
  }

  get size(): number {
    return this.#waiting.size
  }

  get isFull(): boolean {
    return this.size >= waitingMax
  }

  /** Whether the entry at a place was read already, as it is again when Kafka hands the partition out anew. */
  hasRead({ topic, offset }: Place): boolean {
    return offset < (this.#read.get(topic) ?? 0)
  }

  /** An entry was read; without a token there is nothing in it to tell. */
  read(place: Place, token?: SecurityEventToken): void {
    this.#read.set(place.topic, place.offset + 1)
    if (token) this.#waiting.set(token.jti, { ...token, place })
    this.#change()
  }

  /** What comes from no entry, and is lost with the process. */
  add(token: SecurityEventToken): void {
    this.#waiting.set(token.jti, token)
    this.#change()
  }

  oldest(max: number): SecurityEventToken[] {
    return [...this.#waiting.values()].slice(0, max)
  }

  /** The receiver has it, or will never take it. Returns whether it waited. */
  end(jti: string): boolean {
    const waited = this.#waiting.delete(jti)
    if (waited) this.#change()
    return waited
  }

  /** By topic: the first offset of which the receiver was not told. */
  positions(): Map<string, number> {
    const positions = new Map(this.#read)
    for (const { place } of this.#waiting.values())
      if (place) positions.set(place.topic, Math.min(place.offset, positions.get(place.topic) ?? place.offset))
    return positions
  }

  /** Resolves at the next change. */
  get changed(): Promise<void> {
    return this.#changed.promise
  }

  /** One poll waits at a time: a newer one answers the one before. */
  pollWaits(): AbortSignal {
    this.endPoll()
    this.#pollWaiting = new AbortController()
    return this.#pollWaiting.signal
  }

  /** Answers the poll that waits. */
  endPoll(): void {
    this.#pollWaiting?.abort()
  }

  #change(): void {
    this.#changed.resolve()
    this.#changed = Promise.withResolvers()
  }
}
