import { randomUUID } from 'node:crypto'
import { isInPlace, readExpectedOffset } from '@interlock/contracts/expected-offset'
import type { Kafka } from 'kafkajs'

export type Followed = { readonly topic: string; readonly value: Buffer }

/** Reads topics from their present end on. Resolves when nothing that is written from now on can be missed. */
export async function follow(
  kafka: Kafka,
  topics: readonly string[],
  take: (record: Followed) => void,
): Promise<() => Promise<void>> {
  return read(kafka, topics, take, 'high')
}

/** Reads topics from their beginning to what is their end now. */
export async function readAll(kafka: Kafka, topics: readonly string[], take: (record: Followed) => void): Promise<void> {
  const done = Promise.withResolvers<void>()
  const stop = await read(kafka, topics, take, 'low', () => done.resolve())
  await done.promise
  await stop()
}

async function read(
  kafka: Kafka,
  topics: readonly string[],
  take: (record: Followed) => void,
  from: 'low' | 'high',
  onEnd: () => void = () => undefined,
): Promise<() => Promise<void>> {
  const offsets = await offsetsOf(kafka, topics)
  const pending = new Map(
    offsets.filter(({ low, high }) => low !== high).map((one) => [`${one.topic}:${one.partition}`, BigInt(one.high)]),
  )
  if (pending.size === 0) onEnd()
  const consumer = kafka.consumer({ groupId: `interlock-cli-${randomUUID()}`, maxWaitTimeInMs: 20, minBytes: 1 })
  await consumer.connect()
  await consumer.subscribe({ topics: [...topics], fromBeginning: from === 'low' })
  await consumer.run({
    autoCommit: false,
    partitionsConsumedConcurrently: 8,
    eachMessage: async ({ topic, partition, message }) => {
      const counts = isInPlace(Number(message.offset), readExpectedOffset(message.headers))
      if (message.value && counts) take({ topic, value: message.value })
      const at = `${topic}:${partition}`
      const end = pending.get(at)
      if (end !== undefined && BigInt(message.offset) + 1n >= end && pending.delete(at) && pending.size === 0) onEnd()
    },
  })
  // The consumer asks for "the end" only when it first fetches, which may be after a record that must be seen: seek now.
  for (const { topic, partition, low, high } of offsets) consumer.seek({ topic, partition, offset: from === 'low' ? low : high })
  return () => consumer.disconnect()
}

async function offsetsOf(kafka: Kafka, topics: readonly string[]) {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const found = await Promise.all(
      topics.map(async (topic) => (await admin.fetchTopicOffsets(topic)).map((one) => ({ topic, ...one }))),
    )
    return found.flat()
  } finally {
    await admin.disconnect()
  }
}
