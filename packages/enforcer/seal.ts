import type { Receipt, RecordName, Records, SignedStatement } from '@interlock/contracts'
import { type SigningKey, signStatements } from '@interlock/trust'
import type { Write } from './processor.ts'

/**
 * Signs every statement of the batch that waits for it: one Merkle tree, one signature. A statement that lies in several
 * records (a decision and its order) is signed once.
 */
export async function sealDecisions(writes: readonly Write[], key: SigningKey): Promise<readonly Write[]> {
  const waiting = new Map<string, Buffer>()
  for (const { record } of writes) for (const { statement } of unsealed(record)) waiting.set(nameOf(statement), statement)
  if (waiting.size === 0) return writes
  const signed = await signStatements([...waiting.values()], key)
  const byName = new Map(signed.map((entry) => [nameOf(entry.statement), entry]))
  const seal = (entry: SignedStatement) => (entry.signature.length > 0 ? entry : (byName.get(nameOf(entry.statement)) ?? entry))
  return writes.map((write) => ({ ...write, record: sealRecord(write.record, seal) }))
}

/** Statements' bytes as a map's key, byte for byte. */
const nameOf = (statement: Buffer) => statement.toString('latin1')

const unsealed = (record: Records[RecordName]) => statementsOf(record).filter(({ signature }) => signature.length === 0)

function statementsOf(record: Records[RecordName]): readonly SignedStatement[] {
  if ('statements' in record) return record.statements
  return isReceipt(record) ? [record.statement] : []
}

function sealRecord(record: Records[RecordName], seal: (entry: SignedStatement) => SignedStatement): Records[RecordName] {
  if ('statements' in record) return { ...record, statements: record.statements.map(seal) }
  return isReceipt(record) ? { ...record, statement: seal(record.statement) } : record
}

const isReceipt = (record: Records[RecordName]): record is Receipt => 'statement' in record && !Buffer.isBuffer(record.statement)
