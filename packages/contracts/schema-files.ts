import { existsSync, readdirSync, readFileSync } from 'node:fs'
import type { AvroSchema } from './avro-schema.ts'
import type { RecordName } from './records.generated.ts'

const folder = new URL('../../schemas/', import.meta.url)

/**
 * A record's schemas that may lie in topics, as JSON text, oldest first: those of schemas/history/<record>.<n>.avsc, then the
 * present one. The last is the one that is written; all of them are read.
 */
export function schemaVersions(record: RecordName): readonly string[] {
  const present = readFileSync(new URL(`${record}.avsc`, folder), 'utf8')
  const history = historyOf(record)
  return history.at(-1) === undefined || !isSameSchema(history.at(-1) as string, present) ? [...history, present] : history
}

function historyOf(record: RecordName): string[] {
  const past = new URL('history/', folder)
  if (!existsSync(past)) return []
  return readdirSync(past)
    .map((name) => ({ name, match: new RegExp(`^${record}\\.(\\d+)\\.avsc$`).exec(name) }))
    .flatMap(({ name, match }) => (match ? [{ name, version: Number(match[1]) }] : []))
    .sort((one, other) => one.version - other.version)
    .map(({ name }) => readFileSync(new URL(name, past), 'utf8'))
}

/** Equal but for white space and comments; a changed `doc` is no new version. */
export function isSameSchema(one: string, other: string): boolean {
  return JSON.stringify(withoutDocs(JSON.parse(one))) === JSON.stringify(withoutDocs(JSON.parse(other)))
}

function withoutDocs(schema: unknown): unknown {
  if (Array.isArray(schema)) return schema.map(withoutDocs)
  if (typeof schema !== 'object' || schema === null) return schema
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([name]) => name !== 'doc' && name !== 'tsType')
      .map(([name, value]) => [name, withoutDocs(value)]),
  )
}

export const parseSchema = (text: string): AvroSchema => JSON.parse(text) as AvroSchema
