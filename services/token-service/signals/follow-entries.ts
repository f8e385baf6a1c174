import type { ControlTable } from '@interlock/contracts'
import type { Consumer, Kafka } from 'kafkajs'
import { signalTables } from './security-event.ts'
import type { Stream } from './stream.ts'
import { type EntryParts, takeEntry } from './take-entry.ts'

/** How often what the receiver has is committed, milliseconds. */
const commitEveryMs = 500

/**
 * Reads the control tables for one receiver, in a consumer group of its own: what the group has committed is what the receiver has acknowledged, so that
 * Kafka keeps the position and this service nothing. Entries wait there while the stream is full. Returns what ends it.
 */
export async function followEntries(
  kafka: Kafka,
  stream: Stream,
  { crash, ...parts }: EntryParts & { readonly crash: (error: Error) => void },
): Promise<() => Promise<void>> {
  const consumer = kafka.consumer({ groupId: `signals-${stream.receiver.id}`, maxWaitTimeInMs: 50, minBytes: 1 })
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) crash(payload.error)
  })
  try {
    await consumer.connect()
    await consumer.subscribe({ topics: [...signalTables], fromBeginning: true })
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ topic, message, pause }) => {
        await takeEntry(stream, { topic: topic as ControlTable, offset: Number(message.offset), value: message.value }, parts)
        if (!stream.isFull) return
        const resume = pause()
        void whenThereIsRoom(stream).then(resume)
      },
    })
  } catch (error) {
    await consumer.disconnect().catch(() => {})
    throw error
  }
  const committed = new Map<string, number>()
  const committing = setInterval(() => void commit(consumer, stream, committed).catch(() => {}), commitEveryMs)
  return async () => {
    clearInterval(committing)
    // What cannot be committed is told again after the start, by the same jti.
    await commit(consumer, stream, committed).catch(() => {})
    await consumer.disconnect()
  }
}

async function whenThereIsRoom(stream: Stream): Promise<void> {
  while (stream.isFull) await stream.changed
}

async function commit(consumer: Consumer, stream: Stream, committed: Map<string, number>): Promise<void> {
  const moved = [...stream.positions()].filter(([topic, offset]) => committed.get(topic) !== offset)
  if (moved.length === 0) return
  await consumer.commitOffsets(moved.map(([topic, offset]) => ({ topic, partition: 0, offset: String(offset) })))
  for (const [topic, offset] of moved) committed.set(topic, offset)
}
