import { randomUUID } from 'node:crypto'
import { isInPlace, readExpectedOffset } from '@interlock/contracts/expected-offset'
import type { Consumer, Kafka } from 'kafkajs'

export type FollowedRecord = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly value: Buffer | null
}

export type FollowRequest = {
  readonly topics: readonly string[]
  /** `start`: all that the topics hold; `end`: what is written from now on. */
  readonly from: 'start' | 'end'
  readonly take: (record: FollowedRecord) => void
}

export type Following = {
  /** Resolves when everything that lay in the topics at the beginning was taken. */
  readonly caughtUp: Promise<void>
  readonly stop: () => Promise<void>
}

/**
 * Reads whole topics in a group of its own, each record once, over outages of the broker too: a consumer that joins anew would begin at the end
 * and miss what was written meanwhile, so it is told where it was. Resolves when nothing that is written from now on can be missed.
 */
export async function followTopics(kafka: Kafka, { topics, from, take }: FollowRequest): Promise<Following> {
  const { next, left } = await offsetsOf(kafka, topics, from)
  const caughtUp = Promise.withResolvers<void>()
  if (left.size === 0) caughtUp.resolve()
  const consumer = kafka.consumer({ groupId: `follow-${randomUUID()}`, maxWaitTimeInMs: 20, minBytes: 1 })
  await consumer.connect()
  await consumer.subscribe({ topics: [...topics], fromBeginning: from === 'start' })
  consumer.on(consumer.events.GROUP_JOIN, () => seekAll(consumer, next))
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: 8,
    eachBatch: async ({ batch, isStale }) => {
      const { topic, partition } = batch
      const place = placeOf(topic, partition)
      for (const { offset, value, headers } of batch.messages) {
        // Fetched before the seek, or taken already.
        if (isStale() || Number(offset) < (next.get(place) ?? 0)) continue
        next.set(place, Number(offset) + 1)
        // An answer that lies elsewhere than its writer expected counts nowhere.
        if (isInPlace(Number(offset), readExpectedOffset(headers))) take({ topic, partition, offset: Number(offset), value })
      }
      if (!isStale()) next.set(place, Math.max(next.get(place) ?? 0, Number(batch.lastOffset()) + 1))
      if ((left.get(place) ?? Number.POSITIVE_INFINITY) <= (next.get(place) ?? 0) && left.delete(place) && left.size === 0)
        caughtUp.resolve()
    },
  })
  seekAll(consumer, next)
  return { caughtUp: caughtUp.promise, stop: () => consumer.disconnect() }
}

function seekAll(consumer: Consumer, next: ReadonlyMap<string, number>): void {
  for (const [place, offset] of next) {
    const at = place.lastIndexOf(':')
    consumer.seek({ topic: place.slice(0, at), partition: Number(place.slice(at + 1)), offset: String(offset) })
  }
}

/** Where each partition is read from, and the ends of those that hold something to be read first. */
async function offsetsOf(kafka: Kafka, topics: readonly string[], from: FollowRequest['from']) {
  const next = new Map<string, number>()
  const left = new Map<string, number>()
  const admin = kafka.admin()
  await admin.connect()
  try {
    for (const topic of topics) {
      for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
        next.set(placeOf(topic, partition), Number(from === 'start' ? low : high))
        if (from === 'start' && low !== high) left.set(placeOf(topic, partition), Number(high))
      }
    }
  } finally {
    await admin.disconnect()
  }
  return { next, left }
}

const placeOf = (topic: string, partition: number) => `${topic}:${partition}`
