/** Writes records.generated.ts from schemas/*.avsc; with --check it writes nothing and fails when the file is stale. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

type Schema =
  | string
  | Schema[]
  | { type: Schema; name?: string; items?: Schema; fields?: Field[]; symbols?: string[]; doc?: string }
type Field = { name: string; type: Schema; doc?: string; tsType?: string }

const schemas = new URL('../../schemas/', import.meta.url)
const target = new URL('./records.generated.ts', import.meta.url)
const primitives: Record<string, string> = {
  null: 'null',
  boolean: 'boolean',
  int: 'number',
  long: 'number',
  double: 'number',
  string: 'string',
  bytes: 'Buffer',
}

export function generate(): string {
  const files = readdirSync(schemas)
    .filter((name) => name.endsWith('.avsc'))
    .sort()
  const types = new Map<string, string>()
  const brands = new Set<string>()
  for (const file of files) typeOf(JSON.parse(readFileSync(new URL(file, schemas), 'utf8')) as Schema, types, brands)
  return [
    '// Generated from schemas/*.avsc by `npm run generate`. A test fails when it is stale.',
    `import type { ${[...brands].sort().join(', ')} } from './ids.ts'`,
    '',
    ...types.values(),
    `export type Records = { ${files
      .map((f) => f.replace('.avsc', ''))
      .map((n) => `${n}: ${n}`)
      .join('; ')} }`,
    'export type RecordName = keyof Records',
    '',
  ].join('\n')
}

function typeOf(schema: Schema, types: Map<string, string>, brands: Set<string>): string {
  if (typeof schema === 'string') return primitives[schema] ?? schema
  if (Array.isArray(schema)) return schema.map((member) => typeOf(member, types, brands)).join(' | ')
  if (schema.type === 'array') return `${wrap(typeOf(schema.items as Schema, types, brands))}[]`
  if (schema.type === 'enum')
    return declare(schema, types, (schema.symbols as string[]).map((symbol) => `'${symbol}'`).join(' | '))
  if (schema.type === 'fixed') return declare(schema, types, 'Buffer')
  if (schema.type !== 'record') return typeOf(schema.type, types, brands)
  const lines = (schema.fields as Field[]).map((field) => {
    if (field.tsType) brands.add(field.tsType)
    const doc = field.doc ? `  /** ${field.doc} */\n` : ''
    return `${doc}  ${field.name}: ${field.tsType ?? typeOf(field.type, types, brands)}`
  })
  return declare(schema, types, `{\n${lines.join('\n')}\n}`)
}

function declare(schema: { name?: string; doc?: string }, types: Map<string, string>, body: string): string {
  const name = schema.name as string
  // A record named in two files (SignedStatement) has one declaration: the first one with its comments.
  if (!types.has(name)) types.set(name, `${schema.doc ? `/** ${schema.doc} */\n` : ''}export type ${name} = ${body}\n`)
  return name
}

const wrap = (type: string) => (type.includes('|') ? `(${type})` : type)

if (import.meta.main) {
  const text = generate()
  const current = (() => {
    try {
      return readFileSync(target, 'utf8')
    } catch {
      return ''
    }
  })()
  if (!process.argv.includes('--check')) writeFileSync(target, text)
  else if (text !== current) {
    console.error('packages/contracts/records.generated.ts is stale: run `npm run generate` and commit the result')
    process.exit(1)
  }
}
