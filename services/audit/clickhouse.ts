import { type ClickHouseClient, ClickHouseLogLevel, createClient } from '@clickhouse/client'

/** The database that a ClickHouse URL names by its path; `interlock` where it names none. */
export function databaseOf(url: string): string {
  const name = decodeURIComponent(new URL(url).pathname.replace(/^\//, ''))
  return name === '' ? 'interlock' : name
}

/** One code path for the local server, a container and a cluster: `http://user:password@host:port/database`. */
export function connectClickHouse(url: string, database = databaseOf(url)): ClickHouseClient {
  const at = new URL(url)
  at.pathname = ''
  return createClient({
    url: at.href,
    database,
    application: 'interlock-audit',
    request_timeout: 30_000,
    max_open_connections: 16,
    // Its errors are thrown as well: audit says once what they mean.
    log: { level: ClickHouseLogLevel.OFF },
  })
}
