import { existsSync, readFileSync } from 'node:fs'
import type { ControlEntry, ControlTable } from '@interlock/contracts'
import { controlTables } from '@interlock/contracts'
import { replacePrivateFile } from '@interlock/sdk/private-file'
import type { TableEntry } from '@interlock/sdk/trust-domain'
import { z } from 'zod'

const base64url = z.string().regex(/^[A-Za-z0-9_-]*$/)
const fileSchema = z.array(
  z.strictObject({
    table: z.enum(Object.keys(controlTables) as [ControlTable, ...ControlTable[]]),
    id: z.string(),
    revision: z.int(),
    statement: base64url,
    keyId: z.string(),
    signature: base64url,
  }),
)

/** control.json: signed entries as they are published, bytes as base64url. */
export function writeControlFile(path: string, entries: readonly TableEntry[]): void {
  const rows = entries.map(({ table, entry }) => ({
    table,
    ...entry,
    statement: entry.statement.toString('base64url'),
    signature: entry.signature.toString('base64url'),
  }))
  replacePrivateFile(path, `${JSON.stringify(rows, null, 2)}\n`)
}

export function readControlFile(path: string): TableEntry[] {
  if (!existsSync(path)) return []
  return fileSchema.parse(JSON.parse(readFileSync(path, 'utf8'))).map(({ table, statement, signature, ...entry }) => ({
    table,
    entry: { ...entry, statement: bytes(statement), signature: bytes(signature) } satisfies ControlEntry,
  }))
}

const bytes = (text: string) => Buffer.from(text, 'base64url')
