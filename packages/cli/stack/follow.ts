import { type FollowedRecord, followTopics } from '@interlock/sdk'
import type { Kafka } from 'kafkajs'

export type Followed = { readonly topic: string; readonly value: Buffer }

/** Reads topics from their present end on. Resolves when nothing that is written from now on can be missed. */
export async function follow(
  kafka: Kafka,
  topics: readonly string[],
  take: (record: Followed) => void,
): Promise<() => Promise<void>> {
  const { stop } = await followTopics(kafka, { topics, from: 'end', take: whole(take) })
  return stop
}

/** Reads topics from their beginning to what is their end now. */
export async function readAll(kafka: Kafka, topics: readonly string[], take: (record: Followed) => void): Promise<void> {
  const { caughtUp, stop } = await followTopics(kafka, { topics, from: 'start', take: whole(take) })
  await caughtUp
  await stop()
}

/** A record without a value tells nothing here. */
const whole =
  (take: (record: Followed) => void) =>
  ({ topic, value }: FollowedRecord): void => {
    if (value) take({ topic, value })
  }
