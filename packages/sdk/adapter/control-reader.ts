import { randomUUID } from 'node:crypto'
import type { Codec, ControlTable, ControlValue } from '@interlock/contracts'
import { ControlEntries, type TrustAnchors, verifyControlEntry } from '@interlock/trust'
import type { Kafka } from 'kafkajs'

/** A control table's newest verified entries, folded record by record. Pure but for its own state. */
export class ControlFold {
  readonly #entries = new ControlEntries()
  readonly #codec: Codec
  readonly #anchors: TrustAnchors

  constructor(codec: Codec, anchors: TrustAnchors) {
    this.#codec = codec
    this.#anchors = anchors
  }

  /** Takes one record. Returns why it counts for nothing, or undefined where it does. */
  take(table: ControlTable, bytes: Buffer | null): string | undefined {
    if (!bytes) return 'tombstone'
    const decoded = this.#codec.decode(table, bytes, 'ControlEntry')
    if (!decoded.ok) return decoded.reason
    const verified = verifyControlEntry(decoded.value, table, this.#anchors)
    if (!verified.ok) return verified.reason
    return this.#entries.take(table, verified.value, decoded.value.keyId)
  }

  /** The newest revision that counts; 0 where there is no such entry. */
  revisionOf(table: ControlTable, id: string): number {
    return this.#entries.revisionOf(table, id)
  }

  /** The same Map at each call: it changes with the table, and a read costs nothing. */
  table<T extends ControlTable>(table: T): ReadonlyMap<string, ControlValue<T>> {
    return this.#entries.values(table) as ReadonlyMap<string, ControlValue<T>>
  }
}

/** How far each partition was read. */
export class ReadOffsets {
  readonly #highest = new Map<string, bigint>()

  /** Whether it lies beyond all that was read of its partition; it is read from then on. */
  isNew(topic: string, partition: number, offset: bigint): boolean {
    const place = `${topic}:${partition}`
    if (offset <= (this.#highest.get(place) ?? -1n)) return false
    this.#highest.set(place, offset)
    return true
  }
}

export type ControlReader = { readonly fold: ControlFold; readonly stop: () => Promise<void> }

/** Reads control tables from their beginning and on. Resolves when all that lay in them at the start is read. */
export async function readControlTables(
  kafka: Kafka,
  name: string,
  tables: readonly ControlTable[],
  fold: ControlFold,
  on: {
    readonly change: () => void
    readonly ignored: (table: string, offset: string, reason: string) => void
    readonly crash: (error: Error) => void
  },
): Promise<ControlReader> {
  // A group of its own at each start: a compacted table is always read whole.
  const consumer = kafka.consumer({ groupId: `${name}-control-${randomUUID()}`, maxWaitTimeInMs: 50, minBytes: 1 })
  const ends = await endOffsets(kafka, tables)
  const pending = new Set(ends.keys())
  const done = Promise.withResolvers<void>()
  const reached = (partition: string) => {
    pending.delete(partition)
    if (pending.size === 0) done.resolve()
  }
  for (const [partition, { low, high }] of ends) if (low >= high) reached(partition)
  const read = new ReadOffsets()
  consumer.on(consumer.events.CRASH, ({ payload }) => {
    if (!payload.restart) on.crash(payload.error)
  })
  await consumer.connect()
  await consumer.subscribe({ topics: [...tables], fromBeginning: true })
  await consumer.run({
    autoCommit: false,
    eachMessage: async ({ topic, partition, message }) => {
      // A consumer that joins anew begins at the start again: what was read is neither taken nor told a second time.
      if (!read.isNew(topic, partition, BigInt(message.offset))) return
      const reason = fold.take(topic as ControlTable, message.value)
      if (reason) on.ignored(topic, message.offset, reason)
      else on.change()
      const end = ends.get(`${topic}:${partition}`)
      if (end && BigInt(message.offset) + 1n >= end.high) reached(`${topic}:${partition}`)
    },
  })
  await done.promise
  return { fold, stop: () => consumer.disconnect() }
}

async function endOffsets(kafka: Kafka, topics: readonly string[]): Promise<Map<string, { low: bigint; high: bigint }>> {
  const admin = kafka.admin()
  await admin.connect()
  try {
    const offsets = await Promise.all(topics.map(async (topic) => [topic, await admin.fetchTopicOffsets(topic)] as const))
    return new Map(
      offsets.flatMap(([topic, partitions]) =>
        partitions.map(
          ({ partition, low, high }) => [`${topic}:${partition}`, { low: BigInt(low), high: BigInt(high) }] as const,
        ),
      ),
    )
  } finally {
    await admin.disconnect()
  }
}
