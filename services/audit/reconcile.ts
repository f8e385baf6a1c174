import { readFileSync } from 'node:fs'
import type { ClickHouseClient } from '@clickhouse/client'

/** Something that should have gone on and did not. */
export type Unanswered = {
  readonly kind: 'intent' | 'allow' | 'order'
  readonly intent_id: string
  readonly job_id: string
  readonly stage: string
}

/** How long a record may wait for its successor, and how far back it is looked for. */
export const patienceMs = 60_000
const lookBackMs = 3_600_000

const query = readFileSync(new URL('../../ops/clickhouse/queries/unanswered.sql', import.meta.url), 'utf8')

/** Each ALLOW has exactly one successor (DESIGN "Delivery"): what has none is lost, or held back by somebody (ATTACKS 119). */
export async function findUnanswered(client: ClickHouseClient, now: number): Promise<readonly Unanswered[]> {
  const query_params = { since: new Date(now - lookBackMs), until: new Date(now - patienceMs) }
  return (await client.query({ query, query_params, format: 'JSONEachRow' })).json<Unanswered>()
}
