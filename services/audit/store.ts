import { Readable } from 'node:stream'
import type { ClickHouseClient } from '@clickhouse/client'
import type { DecodeReason, RecordName, Records, Result } from '@interlock/contracts'
import { type Batch, type Range, tokenOf } from './batch.ts'
import { encodeRows, type Row } from './row-binary.ts'
import { deadLetters, type Origin, type Table, unreadableRow } from './rows.ts'
import type { Located, Store, TopicPartition } from './table-writer.ts'

export type Decode = (topic: string, bytes: Buffer) => Result<Records[RecordName], DecodeReason>
export type StoreObserver = {
  inserted(table: string, rows: number, ms: number): void
  unreadable(topic: string, reason: string): void
  /** Rows that the deduplication log claimed and the table did not have. */
  mended(table: string, rows: number): void
  away(error: Error): void
  back(): void
}
export type StoreParts = {
  readonly client: ClickHouseClient
  readonly table: Table
  readonly decode: Decode
  readonly observer: StoreObserver
  readonly now: () => number
  readonly sleep: (ms: number, signal: AbortSignal) => Promise<void>
}

type Part = { readonly table: Pick<Table, 'name' | 'columns'>; readonly rows: readonly Row[] }

const retryMsMax = 5000
/** An insert that another instance began may still be about to show. */
const settleMs = 1000

/** One table of ClickHouse, and the dead letters found on the way to it. */
export class ClickHouseStore implements Store {
  readonly #parts: StoreParts

  constructor(parts: StoreParts) {
    this.#parts = parts
  }

  async insert(batch: Batch, records: readonly Located[], isReplay: boolean, signal: AbortSignal): Promise<void> {
    const parts = this.#read(batch, records)
    const { observer, sleep, now } = this.#parts
    for (let attempt = 0; ; attempt += 1) {
      signal.throwIfAborted()
      const begun = now()
      try {
        // Dead letters first: should another version of this code read them on a replay, they are there twice rather than not at all.
        for (const part of parts) await this.#insert(part, part.rows, tokenOf(batch), signal)
        if (isReplay || attempt > 0) for (const part of parts) await this.#mend(part, batch, signal)
        observer.back()
        for (const { table, rows } of parts) observer.inserted(table.name, rows.length, now() - begun)
        return
      } catch (error) {
        if (signal.aborted) throw signal.reason
        observer.away(error as Error)
        await sleep(Math.min(retryMsMax, 100 * 2 ** Math.min(attempt, 8)), signal)
      }
    }
  }

  async next(of: readonly TopicPartition[]): Promise<readonly (TopicPartition & { readonly offset: number | undefined })[]> {
    const highest = new Map<string, number>()
    for (const name of [this.#parts.table.name, deadLetters.name]) {
      const rows = await this.#select<{ topic: string; partition: number; next: string }>(
        `SELECT topic, partition, max(offset) + 1 AS next FROM ${name} WHERE topic IN ({topics: Array(String)}) GROUP BY topic, partition`,
        { topics: [...new Set(of.map(({ topic }) => topic))] },
      )
      for (const { topic, partition, next } of rows) {
        const key = `${topic}:${partition}`
        highest.set(key, Math.max(highest.get(key) ?? 0, Number(next)))
      }
    }
    return of.map(({ topic, partition }) => ({ topic, partition, offset: highest.get(`${topic}:${partition}`) }))
  }

  #read(batch: Batch, records: readonly Located[]): readonly Part[] {
    const { table, decode, observer } = this.#parts
    const rows: Row[] = []
    const dead: Row[] = []
    for (const { topic, partition, message } of records) {
      const raw = message.value ?? Buffer.alloc(0)
      const origin: Origin = {
        topic,
        partition,
        offset: message.offset,
        key: message.key,
        recordTime: message.recordTime,
        recordedAt: batch.at,
        isInPlace: message.isInPlace,
        raw,
      }
      const read =
        message.value === null ? ({ ok: false, reason: 'tombstone', detail: {} } as const) : decode(topic, message.value)
      if (read.ok) rows.push(table.row(read.value as never, origin))
      else {
        dead.push(unreadableRow(origin, message.value === null, read.reason, JSON.stringify(read.detail)))
        observer.unreadable(topic, read.reason)
      }
    }
    return [
      { table: deadLetters, rows: dead },
      { table, rows },
    ].filter((part) => part.rows.length > 0)
  }

  async #insert({ table }: Part, rows: readonly Row[], token: string, signal: AbortSignal): Promise<void> {
    const columns = Object.keys(table.columns)
    const { stream } = await this.#parts.client.exec({
      query: `INSERT INTO ${table.name} (${columns.join(', ')}) FORMAT RowBinary`,
      values: Readable.from([encodeRows(table.columns, rows)], { objectMode: false }),
      abort_signal: signal,
      clickhouse_settings: {
        insert_deduplicate: 1,
        insert_deduplication_token: token,
        deduplicate_blocks_in_dependent_materialized_views: 1,
        async_insert: 0,
        // The answer comes when the rows lie on disk, and an error is an HTTP status, never a broken 200.
        wait_end_of_query: 1,
      },
    })
    for await (const _ of stream);
  }

  /**
   * ClickHouse notes a token before the rows are in place. Killed in between, it takes the insert for done ever after:
   * after any doubt the rows themselves are counted, and what is missing is inserted under a token of its own.
   */
  async #mend(part: Part, batch: Batch, signal: AbortSignal): Promise<void> {
    if ((await this.#missing(part, batch)).length === 0) return
    await this.#parts.sleep(settleMs, signal)
    const missing = await this.#missing(part, batch)
    if (missing.length === 0) return
    const offsets = missing.map((row) => `${row.topic}:${row.partition}=${row.offset}`)
    await this.#insert(part, missing, `${tokenOf(batch)} mended ${offsets.join(',')}`, signal)
    this.#parts.observer.mended(part.table.name, missing.length)
  }

  async #missing({ table, rows }: Part, batch: Batch): Promise<readonly Row[]> {
    const stored = await this.#select<{ topic: string; partition: number; offset: string }>(
      `SELECT topic, partition, offset FROM ${table.name}
       WHERE recorded_at = fromUnixTimestamp64Milli({at: Int64}, 'UTC') AND topic IN ({topics: Array(String)})`,
      { at: batch.at, topics: [...new Set(batch.ranges.map(({ topic }: Range) => topic))] },
    )
    const known = new Set(stored.map(({ topic, partition, offset }) => `${topic}:${partition}:${offset}`))
    return rows.filter((row) => !known.has(`${row.topic}:${row.partition}:${row.offset}`))
  }

  async #select<Answer>(query: string, parameters: Record<string, unknown>): Promise<readonly Answer[]> {
    const result = await this.#parts.client.query({ query, query_params: parameters, format: 'JSONEachRow' })
    return result.json<Answer>()
  }
}
