import { murmur2Partitioner } from '@interlock/sdk'
import type { TableEntry } from '@interlock/sdk/trust-domain'
import type { Connection } from './connect.ts'

/** Writes signed entries to their tables; readers take the newest revision of each id. */
export async function publishControlEntries({ kafka, codec }: Connection, entries: readonly TableEntry[]): Promise<void> {
  const producer = kafka.producer({ idempotent: true, createPartitioner: murmur2Partitioner, allowAutoTopicCreation: false })
  await producer.connect()
  try {
    for (const { table, entry } of entries) {
      await producer.send({ topic: table, acks: -1, messages: [{ key: entry.id, value: codec.encode(table, entry) }] })
    }
  } finally {
    await producer.disconnect()
  }
}
