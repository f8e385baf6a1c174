import { existsSync, readdirSync } from 'node:fs'
import { expect, it } from 'vitest'
import type { RecordName } from './records.generated.ts'
import { isSameSchema, schemaVersions } from './schema-files.ts'

const schemas = new URL('../../schemas/', import.meta.url)
const records = readdirSync(schemas)
  .filter((name) => name.endsWith('.avsc'))
  .map((name) => name.replace('.avsc', '') as RecordName)

it.each(
  records,
)('%s keeps its first version: a change in place is registered after it, and refused where it is not compatible', (record) => {
  expect(existsSync(new URL(`history/${record}.1.avsc`, schemas))).toBe(true)
  const versions = schemaVersions(record)
  expect(new Set(versions.map((text) => JSON.stringify(JSON.parse(text)))).size).toBe(versions.length)
})

it('takes a change of words for no new version, and any other for one', () => {
  const one = JSON.stringify({ type: 'record', name: 'A', doc: 'x', fields: [{ name: 'a', type: 'string', doc: 'y' }] })
  expect(isSameSchema(one, JSON.stringify({ type: 'record', name: 'A', fields: [{ name: 'a', type: 'string' }] }))).toBe(true)
  expect(isSameSchema(one, JSON.stringify({ type: 'record', name: 'A', fields: [{ name: 'a', type: 'bytes' }] }))).toBe(false)
})
