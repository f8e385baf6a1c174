import { randomUUID } from 'node:crypto'
import type { Codec, DeadLetter } from '@interlock/contracts'
import type kafkajs from 'kafkajs'

/** Follows `deadletters` from now on. */
export class DeadLetters {
  readonly #seen: DeadLetter[] = []
  readonly #consumer: kafkajs.Consumer

  private constructor(consumer: kafkajs.Consumer) {
    this.#consumer = consumer
  }

  static async follow(kafka: kafkajs.Kafka, codec: Codec): Promise<DeadLetters> {
    const consumer = kafka.consumer({ groupId: `dead-letters-${randomUUID()}`, maxWaitTimeInMs: 50, minBytes: 1 })
    const letters = new DeadLetters(consumer)
    await consumer.connect()
    await consumer.subscribe({ topic: 'deadletters', fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ message }) => {
        const decoded = codec.decode('deadletters', message.value ?? Buffer.alloc(0), 'DeadLetter')
        if (decoded.ok) letters.#seen.push(decoded.value)
      },
    })
    return letters
  }

  /** The letter of a record, by where it lay; undefined where none came within the time. */
  async of(place: { consumer: string; topic: string; partition: number; offset: number }, timeoutMs = 20_000) {
    const end = Date.now() + timeoutMs
    for (;;) {
      const found = this.#seen.find(
        (letter) =>
          letter.consumer === place.consumer &&
          letter.topic === place.topic &&
          letter.partition === place.partition &&
          letter.offset === place.offset,
      )
      if (found || Date.now() > end) return found
      await new Promise((resolve) => setTimeout(resolve, 50))
    }
  }

  stop(): Promise<void> {
    return this.#consumer.disconnect()
  }
}
