import { readdirSync, readFileSync } from 'node:fs'
import { connectClickHouse, databaseOf } from './clickhouse.ts'

const folder = new URL('../../ops/clickhouse/', import.meta.url)

/** The statements of ops/clickhouse/*.sql in order of file name. Each can be repeated: it creates what is not there, or replaces a view. */
export function ddlStatements(): readonly string[] {
  const files = readdirSync(folder)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  return files.flatMap((name) => statementsOf(readFileSync(new URL(name, folder), 'utf8')))
}

/** A statement ends at a semicolon at the end of a line; lines that begin with two dashes are comments. */
export function statementsOf(text: string): string[] {
  const code = text
    .split('\n')
    .filter((line) => !line.startsWith('--'))
    .join('\n')
  return code
    .split(/;[ \t]*(?:\n|$)/)
    .map((statement) => statement.trim())
    .filter((statement) => statement !== '')
}

/** Brings a database to what ops/clickhouse says, and creates it where it is not there. `url` as in INTERLOCK_CLICKHOUSE. */
export async function applyDdl(url: string): Promise<void> {
  const database = databaseOf(url)
  if (!/^[A-Za-z_][A-Za-z0-9_]{0,63}$/.test(database)) throw new TypeError(`not a database name: ${database}`)
  // A database that is not there yet cannot be entered to create it.
  await using outside = connectClickHouse(url, 'default')
  const found = await outside.query({
    query: 'SELECT name FROM system.databases WHERE name = {database: String}',
    query_params: { database },
  })
  if ((await found.json()).data.length === 0) await outside.command({ query: `CREATE DATABASE IF NOT EXISTS ${database}` })
  await using client = connectClickHouse(url)
  for (const query of ddlStatements()) await client.command({ query })
}
