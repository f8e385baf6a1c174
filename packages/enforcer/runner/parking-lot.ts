import type { Topology } from '@interlock/contracts'
import { type Clock, InfrastructureError, type Kafka, type LogRecord, type Writer } from '../kafka-port.ts'
import { backoffMs } from './backoff.ts'
import { deadLetter, deadLetterTopic } from './dead-letters.ts'
import type { RecordCodec } from './read-record.ts'

type Parts = {
  readonly name: string
  readonly codec: RecordCodec
  readonly kafka: Kafka
  readonly clock: Clock
  readonly topology: Topology
}

/** Writes the dead letters of topics that have no offset to wait for (control tables), until the broker takes them. */
export class ParkingLot {
  readonly #parts: Parts
  #writer: Writer | undefined
  #last: Promise<void> = Promise.resolve()
  #isClosed = false

  constructor(parts: Parts) {
    this.#parts = parts
  }

  park(record: LogRecord, reason: string, detail: object): void {
    this.#last = this.#last.then(() => this.#write(record, reason, detail))
  }

  async close(): Promise<void> {
    this.#isClosed = true
    await this.#writer?.close().catch(() => {})
  }

  async #write(record: LogRecord, reason: string, detail: object): Promise<void> {
    const { name, codec, kafka, clock, topology } = this.#parts
    const value = codec.encode(deadLetterTopic, deadLetter(name, record, reason, detail, clock.now()))
    const partition = record.partition % (topology.topics.get(deadLetterTopic)?.partitions ?? 1)
    for (let attempt = 0; !this.#isClosed; attempt += 1) {
      try {
        this.#writer ??= await kafka.openWriter()
        await this.#writer.send([{ topic: deadLetterTopic, partition, key: null, value }])
        return
      } catch (error) {
        if (!(error instanceof InfrastructureError)) throw error
        await this.#writer?.close().catch(() => {})
        this.#writer = undefined
        await clock.sleep(backoffMs(attempt))
      }
    }
  }
}
