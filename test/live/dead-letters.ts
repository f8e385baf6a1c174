import type { Codec, DeadLetter } from '@interlock/contracts'
import { type FollowedRecord, type Following, followTopics } from '@interlock/sdk'
import type kafkajs from 'kafkajs'

/** Follows `deadletters` from now on. */
export class DeadLetters {
  readonly #seen: DeadLetter[] = []
  #following: Following | undefined

  static async follow(kafka: kafkajs.Kafka, codec: Codec): Promise<DeadLetters> {
    const letters = new DeadLetters()
    const take = ({ value }: FollowedRecord) => {
      const decoded = codec.decode('deadletters', value ?? Buffer.alloc(0), 'DeadLetter')
      if (decoded.ok) letters.#seen.push(decoded.value)
    }
    letters.#following = await followTopics(kafka, { topics: ['deadletters'], from: 'start', take })
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

  async stop(): Promise<void> {
    await this.#following?.stop()
  }
}
