import { writeExpectedOffset } from '@interlock/contracts/expected-offset'
import kafkajs, { type Kafka as Client, type Producer } from 'kafkajs'
import type { OutgoingRecord, Writer } from '../kafka-port.ts'
import { infrastructure } from './membership.ts'

type Request = {
  readonly records: readonly OutgoingRecord[]
  readonly resolve: (offsets: readonly number[]) => void
  readonly reject: (error: unknown) => void
}

/**
 * An idempotent producer, acks=all. One request is under way at a time, as kafkajs' sequence numbers need; what comes meanwhile
 * goes together in the next.
 */
export class KafkajsWriter implements Writer {
  readonly #producer: Producer
  readonly #bytesMax: (topic: string) => number
  #waiting: Request[] = []
  #isSending = false
  #failure: unknown

  constructor(client: Client, bytesMax: (topic: string) => number) {
    this.#bytesMax = bytesMax
    this.#producer = client.producer({
      idempotent: true,
      allowAutoTopicCreation: false,
      createPartitioner: kafkajs.Partitioners.DefaultPartitioner,
      retry: { initialRetryTime: 50, maxRetryTime: 1000, retries: 6 },
    })
  }

  async connect(): Promise<void> {
    await this.#producer.connect().catch((error: unknown) => {
      throw infrastructure(error)
    })
  }

  send(records: readonly OutgoingRecord[]): Promise<readonly number[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly number[]>()
    this.#waiting.push({ records, resolve, reject })
    if (!this.#isSending) void this.#sendAll()
    return promise
  }

  async close(): Promise<void> {
    this.#failure ??= new Error('the writer is closed')
    await this.#producer.disconnect()
  }

  async #sendAll(): Promise<void> {
    this.#isSending = true
    while (this.#waiting.length > 0) {
      const requests = this.#waiting
      this.#waiting = []
      try {
        const offsets = await this.#sendTogether(requests.flatMap(({ records }) => records))
        let at = 0
        for (const { records, resolve } of requests) {
          resolve(offsets.slice(at, at + records.length))
          at += records.length
        }
      } catch (error) {
        // kafkajs sets its sequence back although the broker may have taken the batch: the next one could pass for a repeat and be dropped.
        this.#failure = error
        for (const { reject } of requests) reject(infrastructure(error))
      }
    }
    this.#isSending = false
  }

  async #sendTogether(records: readonly OutgoingRecord[]): Promise<readonly number[]> {
    const offsets: number[] = []
    for (const chunk of chunks(records, this.#bytesMax)) {
      if (this.#failure) throw this.#failure
      offsets.push(...(await this.#sendChunk(chunk)))
    }
    return offsets
  }

  async #sendChunk(records: readonly OutgoingRecord[]): Promise<readonly number[]> {
    const byTopic = Map.groupBy(records, ({ topic }) => topic)
    const landed = await this.#producer.sendBatch({
      acks: -1,
      topicMessages: [...byTopic].map(([topic, messages]) => ({
        topic,
        messages: messages.map(({ partition, key, value, expectedOffset }) => ({
          partition,
          key,
          value,
          headers: writeExpectedOffset(expectedOffset),
        })),
      })),
    })
    const next = new Map(landed.map(({ topicName, partition, baseOffset }) => [`${topicName}:${partition}`, Number(baseOffset)]))
    return records.map(({ topic, partition }) => {
      const place = `${topic}:${partition}`
      const offset = next.get(place) ?? Number.NaN
      next.set(place, offset + 1)
      return offset
    })
  }
}

/** What a record and its batch need beyond key and value. */
const envelopeBytes = 128

/** Cuts records so that no partition's part of a request is larger than its topic takes: kafkajs makes one batch of it. */
export function chunks(
  records: readonly OutgoingRecord[],
  bytesMax: (topic: string) => number,
): readonly (readonly OutgoingRecord[])[] {
  const cut: OutgoingRecord[][] = []
  let bytes = new Map<string, number>()
  for (const record of records) {
    const place = `${record.topic}:${record.partition}`
    const size = record.value.length + (record.key?.length ?? 0) + envelopeBytes
    const sum = (bytes.get(place) ?? 0) + size
    if (cut.length === 0 || sum > bytesMax(record.topic)) {
      cut.push([])
      bytes = new Map()
    }
    cut.at(-1)?.push(record)
    bytes.set(place, (bytes.get(place) ?? 0) + size)
  }
  return cut
}
