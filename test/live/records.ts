import { createHash, randomUUID } from 'node:crypto'
import type { ClickHouseClient } from '@clickhouse/client'
import { readTopology } from '@interlock/contracts'
import type kafkajs from 'kafkajs'

/** Every record that counts, `topic:partition:offset` → SHA-256 of its value in hex. */
export type Digests = Record<string, string>

const topics = [...readTopology().topics.keys()]

/** Reads every topic from its first record to what is its end now. */
export async function kafkaDigests(kafka: kafkajs.Kafka): Promise<Digests> {
  const admin = kafka.admin()
  await admin.connect()
  const left = new Map<string, number>()
  for (const topic of topics) {
    for (const { partition, low, high } of await admin.fetchTopicOffsets(topic)) {
      if (Number(high) > Number(low)) left.set(`${topic}:${partition}`, Number(high))
    }
  }
  await admin.disconnect()
  const digests: Digests = {}
  // Also what a stranger's transaction never committed: audit keeps all that lies in a topic.
  const group = { groupId: `every-record-${randomUUID()}`, maxWaitTimeInMs: 50, minBytes: 1, readUncommitted: true }
  const consumer = kafka.consumer(group)
  await consumer.connect()
  await consumer.subscribe({ topics, fromBeginning: true })
  await new Promise<void>((resolve, reject) => {
    consumer
      .run({
        autoCommit: false,
        partitionsConsumedConcurrently: 8,
        eachBatch: async ({ batch }) => {
          const { topic, partition } = batch
          for (const { offset, value } of batch.messages) digests[`${topic}:${partition}:${offset}`] = sha256(value)
          if (Number(batch.lastOffset()) + 1 >= (left.get(`${topic}:${partition}`) ?? 0)) left.delete(`${topic}:${partition}`)
          if (left.size === 0) resolve()
        },
      })
      .catch(reject)
  })
  await consumer.disconnect()
  return digests
}

/** What audit kept: each row of each table that holds records. A record kept twice stands as `twice`. */
export async function rowDigests(clickhouse: ClickHouseClient): Promise<Digests> {
  const digests: Digests = {}
  for (const table of [
    'intents',
    'issued_tokens',
    'appraisals',
    'alerts',
    'decisions',
    'approvals',
    'orders',
    'acks',
    'receipts',
    'outcomes',
    'control_entries',
    'deadletters',
  ]) {
    // What audit itself could not read lies in deadletters, with its bytes as `value`.
    const bytes = table === 'deadletters' ? "if(raw = '', value, raw)" : 'raw'
    const query = `SELECT topic, partition, toString(offset) AS offset, lower(hex(SHA256(${bytes}))) AS digest FROM ${table}`
    const rows = await (await clickhouse.query({ query, format: 'JSONEachRow' })).json<Record<string, string>>()
    for (const { topic, partition, offset, digest } of rows) {
      const place = `${topic}:${partition}:${offset}`
      digests[place] = place in digests ? 'twice' : (digest ?? '')
    }
  }
  return digests
}

const sha256 = (value: Buffer | null) =>
  createHash('sha256')
    .update(value ?? '')
    .digest('hex')
