/** The ClickHouse types that the audit tables are made of. LowCardinality(T) travels as T. */
export type ColumnType = 'String' | 'Array(String)' | 'Bool' | 'UInt16' | 'UInt32' | 'UInt64' | 'DateTime64(3)'
export type ColumnValue = string | Buffer | readonly string[] | boolean | number
export type Columns = Readonly<Record<string, ColumnType>>
/** A row by column name. Every column must be there: nothing is filled in silently. */
export type Row = Readonly<Record<string, ColumnValue>>

/** The last moment that DateTime64(3) holds, 2299-12-31, milliseconds. */
const dateTimeMax = 10_413_791_999_999

/** Rows in ClickHouse's RowBinary: bytes stay bytes, which JSON cannot promise. @throws TypeError where a row does not fit its columns. */
export function encodeRows(columns: Columns, rows: readonly Row[]): Buffer {
  const entries = Object.entries(columns)
  const parts: Buffer[] = []
  for (const row of rows) for (const [name, type] of entries) writeValue(parts, name, type, row[name])
  return Buffer.concat(parts)
}

function writeValue(parts: Buffer[], name: string, type: ColumnType, value: ColumnValue | undefined): void {
  if (type === 'String' && (typeof value === 'string' || Buffer.isBuffer(value))) {
    writeText(parts, value)
    return
  }
  if (type === 'Array(String)' && Array.isArray(value)) {
    parts.push(varint(value.length))
    for (const item of value) writeText(parts, item)
    return
  }
  if (type === 'Bool' && typeof value === 'boolean') return void parts.push(Buffer.of(value ? 1 : 0))
  if (typeof value === 'number' && type !== 'String' && type !== 'Array(String)' && type !== 'Bool') {
    return void parts.push(integer(type, value))
  }
  throw new TypeError(`column ${name} is a ${type} and cannot hold ${value === undefined ? 'nothing' : typeof value}`)
}

function writeText(parts: Buffer[], value: string | Buffer): void {
  const bytes = typeof value === 'string' ? Buffer.from(value) : value
  parts.push(varint(bytes.length), bytes)
}

/** Numbers are whoever wrote the record's word: what a column cannot hold is held at its nearest end; `raw` has the truth. */
function integer(type: 'UInt16' | 'UInt32' | 'UInt64' | 'DateTime64(3)', value: number): Buffer {
  const clamped = (max: number) => Math.max(0, Math.min(max, Math.trunc(Number.isNaN(value) ? 0 : value)))
  if (type === 'UInt16') {
    const bytes = Buffer.alloc(2)
    bytes.writeUInt16LE(clamped(0xffff))
    return bytes
  }
  if (type === 'UInt32') {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32LE(clamped(0xffff_ffff))
    return bytes
  }
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64LE(BigInt(clamped(type === 'UInt64' ? Number.MAX_SAFE_INTEGER : dateTimeMax)))
  return bytes
}

/** Unsigned LEB128. */
function varint(value: number): Buffer {
  const bytes: number[] = []
  let rest = value
  do {
    bytes.push((rest & 0x7f) | (rest > 0x7f ? 0x80 : 0))
    rest >>>= 7
  } while (rest > 0)
  return Buffer.from(bytes)
}
