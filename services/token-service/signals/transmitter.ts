import type { Hono } from 'hono'
import type { Kafka } from 'kafkajs'
import { type SignalParts, signalApp } from './app.ts'
import { followEntries } from './follow-entries.ts'
import { type PushEvents, pushStream } from './push.ts'
import type { Receiver } from './receivers.ts'
import { Stream } from './stream.ts'
import type { EntryParts } from './take-entry.ts'

export type TransmitterParts = EntryParts &
  Pick<SignalParts, 'now'> & {
    readonly events: PushEvents
    /** The tables cannot be read any more: receivers would be told of nothing, and must not believe that there was nothing. */
    readonly crash: (error: Error) => void
  }

/** Tells receivers of what no longer counts (OpenID Shared Signals 1.0, CAEP, RISC). */
export class Transmitter {
  readonly app: Hono<{ Variables: { stream: Stream } }>
  readonly #streams: readonly Stream[]
  readonly #parts: TransmitterParts
  readonly #stopping = new AbortController()
  readonly #following = new Map<Stream, () => Promise<void>>()
  readonly #pushing: Promise<void>[] = []

  constructor(receivers: readonly Receiver[], parts: TransmitterParts) {
    this.#streams = receivers.map((receiver) => new Stream(receiver))
    this.#parts = parts
    this.app = signalApp({ ...parts, streams: this.#streams })
  }

  /** By receiver: how many SETs wait for it. */
  waiting(): readonly (readonly [receiver: string, sets: number])[] {
    return this.#streams.map(({ receiver, size }) => [receiver.id, size])
  }

  /** Goes on where it failed when it is called again. */
  async start(kafka: Kafka): Promise<void> {
    for (const stream of this.#streams) {
      if (this.#following.has(stream)) continue
      this.#following.set(stream, await followEntries(kafka, stream, this.#parts))
      const { delivery } = stream.receiver
      if (delivery.method === 'push') this.#pushing.push(pushStream(stream, delivery, this.#parts.events, this.#stopping.signal))
    }
  }

  async stop(): Promise<void> {
    this.#stopping.abort()
    for (const stream of this.#streams) stream.endPoll()
    await Promise.all(this.#pushing)
    await Promise.all([...this.#following.values()].map((end) => end()))
  }
}
