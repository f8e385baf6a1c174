import type { ClickHouseClient } from '@clickhouse/client'

/** The same refusal of the same agent, again and again: a grant that is missing, a program that is wrong, or somebody who tries. */
export type Blocked = {
  readonly stage: string
  readonly reason: string
  readonly agent: string
  readonly device: string
  readonly capability: string
  readonly count: number
  readonly jobs: number
}

/** What humans were asked each time and always allowed: they might be asked less. */
export type AlwaysApproved = {
  readonly device: string
  readonly capability: string
  readonly risk: string
  readonly approved: number
  readonly completed: number
}

export type Habits = { readonly blocked: readonly Blocked[]; readonly alwaysApproved: readonly AlwaysApproved[] }

const blockedQuery = `
  SELECT stage, reasons[1] AS reason, agent, device, capability, toUInt32(count()) AS count, toUInt32(uniqExact(job_id)) AS jobs
  FROM decisions
  WHERE in_place AND verdict = 'DENY' AND decided_at >= fromUnixTimestamp64Milli({since: Int64}) AND decided_at < fromUnixTimestamp64Milli({until: Int64})
  GROUP BY stage, reason, agent, device, capability
  HAVING count >= 3
  ORDER BY count DESC, stage, reason LIMIT 20`

const approvedQuery = `
  SELECT device, capability, risk, toUInt32(count()) AS approved, toUInt32(countIf(intent_id IN (SELECT intent_id FROM outcomes WHERE in_place AND status = 'completed'))) AS completed
  FROM (
    SELECT intent_id, any(device) AS device, any(capability) AS capability, any(risk) AS risk, countIf(verdict = 'ESCALATE') > 0 AS asked, countIf(verdict = 'ALLOW') > 0 AS allowed
    FROM decisions
    WHERE in_place AND stage = 'approval-router' AND decided_at >= fromUnixTimestamp64Milli({since: Int64}) AND decided_at < fromUnixTimestamp64Milli({until: Int64})
    GROUP BY intent_id
  )
  WHERE asked
  GROUP BY device, capability, risk
  HAVING countIf(NOT allowed) = 0 AND approved >= 3
  ORDER BY approved DESC LIMIT 20`

/** What repeats itself in a time, by audit's columns: hints to look at, no proof. @throws Error where ClickHouse does not answer */
export async function readHabits(
  clickhouse: ClickHouseClient,
  range: { readonly since: number; readonly until: number },
): Promise<Habits> {
  const select = async <Of>(query: string) =>
    (await clickhouse.query({ query, query_params: range, format: 'JSONEachRow' })).json<Of>()
  return { blocked: await select<Blocked>(blockedQuery), alwaysApproved: await select<AlwaysApproved>(approvedQuery) }
}
