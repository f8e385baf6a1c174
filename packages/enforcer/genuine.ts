import {
  decisionStatementSchema,
  type RecordName,
  type Records,
  receiptStatementSchema,
  type SignedStatement,
} from '@interlock/contracts'
import { parseCanonical, verifySignedStatement } from '@interlock/trust'
import type { Incoming } from './processor.ts'
import type { Verifier } from './stage-input.ts'

const limits = { bytesMax: 65_536, depthMax: 12 }

/**
 * Whether a record's own statement (a decision's last, a receipt's) is signed by a key of the stage it names. What this
 * instance has just written is not signed yet and has no bytes; it needs no proof.
 */
export function isGenuine(incoming: Incoming, { trust, roots }: Pick<Verifier, 'trust' | 'roots'>): boolean {
  if (incoming.bytes.length === 0) return true
  const own = ownStatement(incoming.record)
  const statement = own && readStatement(own)
  if (!own || !statement || statement.eventId !== eventIdOf(incoming.record)) return false
  const signer = verifySignedStatement(own, trust, roots)
  return signer.ok && signer.value.role.kind === 'enforcer' && signer.value.role.stage === statement.stage
}

/**
 * The event id of a record, where its statement says the same. Without that, somebody else's record could bear the id of
 * an intent to come, which would then be dropped as a repeat.
 */
export function signedEventId(record: Records[RecordName]): string | undefined {
  const flat = eventIdOf(record)
  const own = ownStatement(record)
  return own && readStatement(own)?.eventId === flat ? flat : undefined
}

const eventIdOf = (record: Records[RecordName]): string | undefined => ('eventId' in record ? record.eventId : undefined)

function ownStatement(record: Records[RecordName]): SignedStatement | undefined {
  if ('statements' in record) return record.statements.at(-1)
  return 'statement' in record && !Buffer.isBuffer(record.statement) ? record.statement : undefined
}

function readStatement({ statement }: SignedStatement): { stage: string; eventId: string } | undefined {
  const value = parseCanonical(statement, limits)
  if (!value.ok) return undefined
  const read = decisionStatementSchema.or(receiptStatementSchema).safeParse(value.value)
  return read.success ? read.data : undefined
}
