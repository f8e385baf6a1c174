import type { ClickHouseClient } from '@clickhouse/client'
import { type Codec, type Decision, parseEventId } from '@interlock/contracts'
import { type Incoming, signedEventId } from '@interlock/enforcer'
import type { EntryRow } from './tables-history.ts'

/** A decision of semantic-bounds as audit kept it, what it was decided on, and what became of its intent. */
export type Recorded = {
  readonly at: string
  readonly partition: number
  readonly decision: Decision
  /** delegation-check's decision; undefined where audit has none. */
  readonly input: Incoming<'Decision'> | undefined
  /** Status of the intent's outcome; empty where it has none yet. */
  readonly outcome: string
}

type Range = { readonly since: number; readonly until: number }
/** `at` is the offset as text, since JSON's numbers end before Kafka's; under its own name ClickHouse would sort by the text. */
type Row = { partition: number; at: string; key: string; intent_id: string; raw: string }

const pageRows = 200
const own = 'decisions.semantic-bounds'
const before = 'decisions.delegation-check'

/** Reads what audit kept: the raw bytes; columns only find them. @throws Error where ClickHouse does not answer */
export class RecordedDecisions {
  readonly #clickhouse: ClickHouseClient
  readonly #codec: Codec

  constructor(clickhouse: ClickHouseClient, codec: Codec) {
    this.#clickhouse = clickhouse
    this.#codec = codec
  }

  async count(range: Range): Promise<number> {
    const [row] = await this.#select<{ count: string }>(
      `SELECT toString(count()) AS count FROM decisions WHERE ${inRange}`,
      range,
    )
    return Number(row?.count ?? 0)
  }

  /** Partition by partition, each in the order in which the stage decided. */
  async *read(range: Range): AsyncGenerator<Recorded> {
    let last = { partition: 0, at: '-1' }
    for (;;) {
      const rows = await this.#select<Row>(
        `SELECT partition, toString(offset) AS at, key, intent_id, base64Encode(raw) AS raw FROM decisions
         WHERE ${inRange} AND (partition, toInt64(offset)) > ({partition: UInt16}, {at: Int64}) ORDER BY partition, offset LIMIT ${pageRows}`,
        { ...range, partition: last.partition, at: last.at },
      )
      const decisions = rows.flatMap((row) => this.#decoded(own, row))
      const inputs = await this.#inputs(decisions.map(({ decision }) => decision))
      const outcomes = await this.#outcomes(decisions.map(({ row }) => row.intent_id))
      for (const { row, decision } of decisions) {
        const { partition, at } = row
        const input = inputs.get(positionOf(decision) ?? '')
        yield { at: `${own}:${partition}:${at}`, partition, decision, input, outcome: outcomes.get(row.intent_id) ?? '' }
      }
      const end = rows.at(-1)
      if (!end) return
      last = end
    }
  }

  /** Every entry of the control tables that the stage reads, ever: what was in force may have been written long before. */
  async entries(): Promise<EntryRow[]> {
    const rows = await this.#select<{ topic: EntryRow['topic']; at: string; raw: string }>(
      `SELECT topic, toString(toUnixTimestamp64Milli(record_time)) AS at, base64Encode(raw) AS raw FROM control_entries
       WHERE topic IN ('control.devices', 'control.policies', 'control.revocations') ORDER BY record_time, offset`,
      {},
    )
    return rows.map(({ topic, at, raw }) => ({ topic, appendedAt: Number(at), raw: Buffer.from(raw, 'base64') }))
  }

  async #inputs(decisions: readonly Decision[]): Promise<Map<string, Incoming<'Decision'>>> {
    const positions = decisions.flatMap((decision) => positionOf(decision) ?? [])
    const rows = await this.#select<Row>(
      `SELECT partition, toString(offset) AS at, key, intent_id, base64Encode(raw) AS raw FROM decisions
       WHERE topic = '${before}' AND concat(toString(partition), ':', toString(offset)) IN {positions: Array(String)}`,
      { positions },
    )
    return new Map(
      rows.flatMap((row) =>
        this.#decoded(before, row).map(({ decision, bytes }) => {
          const position = { topic: before, partition: row.partition, offset: Number(row.at) }
          return [`${row.partition}:${row.at}`, { position, key: row.key, record: decision, bytes }] as const
        }),
      ),
    )
  }

  async #outcomes(intentIds: readonly string[]): Promise<Map<string, string>> {
    const query = `SELECT intent_id, any(status) AS status FROM outcomes WHERE in_place AND intent_id IN {intentIds: Array(String)} GROUP BY intent_id`
    const rows = await this.#select<{ intent_id: string; status: string }>(query, { intentIds })
    return new Map(rows.map(({ intent_id, status }) => [intent_id, status]))
  }

  #decoded(topic: string, row: Row): { readonly row: Row; readonly decision: Decision; readonly bytes: Buffer }[] {
    const bytes = Buffer.from(row.raw, 'base64')
    const decoded = this.#codec.decode(topic, bytes, 'Decision')
    return decoded.ok ? [{ row, decision: decoded.value, bytes }] : []
  }

  async #select<Of>(query: string, parameters: Record<string, unknown>): Promise<Of[]> {
    return (await this.#clickhouse.query({ query, query_params: parameters, format: 'JSONEachRow' })).json<Of>()
  }
}

const inRange = `topic = '${own}' AND in_place
  AND decided_at >= fromUnixTimestamp64Milli({since: Int64}) AND decided_at < fromUnixTimestamp64Milli({until: Int64})`

/** `partition:offset` of the input that a decision answers, by what it signed. */
function positionOf(decision: Decision): string | undefined {
  const event = parseEventId(signedEventId(decision) ?? '')
  return event?.topic === before ? `${event.partition}:${event.offset}` : undefined
}
