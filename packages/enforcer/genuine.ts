import {
  type Decision,
  type DecisionStatement,
  decisionStatementSchema,
  parseEventId,
  type ReceiptStatement,
  type RecordName,
  type Records,
  receiptStatementSchema,
  type SignedStatement,
  type StageName,
  stageNames,
} from '@interlock/contracts'
import { digest, parseCanonical, verifySignedStatement } from '@interlock/trust'
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
 * Whether a decision was written by this stage and in this place. A genuine decision of another stage, or of this one from another
 * partition, says nothing here, whoever copied it: it would fill memories and end intents that are not its own.
 */
export function isDecisionOf(stage: StageName, incoming: Incoming, verifier: Pick<Verifier, 'trust' | 'roots'>): boolean {
  if (incoming.bytes.length === 0) return true
  if (!isGenuine(incoming, verifier)) return false
  const statement = statementOf(incoming.record)
  return statement?.stage === stage && parseEventId(statement.eventId)?.partition === incoming.position.partition
}

/**
 * Whether a decision answers what the stage before allowed. A record that somebody forged into a stage's input is refused under the
 * intentId that it names; that refusal must neither end the intent of that name nor stand in its way.
 */
export function answersStageBefore(decision: Decision, { trust, roots }: Pick<Verifier, 'trust' | 'roots'>): boolean {
  const own = statementOf(decision)
  const signed = decision.statements.at(-2)
  const before = signed && readStatement(signed)
  if (!own || !('previous' in own) || !before || !('verdict' in before)) return false
  if (own.previous !== digest(signed.statement) || own.intentId !== before.intentId || before.verdict !== 'ALLOW') return false
  const signer = verifySignedStatement(signed, trust, roots)
  if (!signer.ok || signer.value.role.kind !== 'enforcer' || signer.value.role.stage !== before.stage) return false
  return stageNames.indexOf(before.stage) === stageNames.indexOf(own.stage) - 1
}

/** A record's own statement: a decision's last, a receipt's. Who signed it is for `isGenuine`. */
export function statementOf(record: Records[RecordName]): DecisionStatement | ReceiptStatement | undefined {
  const own = ownStatement(record)
  return own && readStatement(own)
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

type OwnStatement = DecisionStatement | ReceiptStatement
const known = new WeakMap<SignedStatement, OwnStatement | undefined>()

/** A record's statement is asked for its event, its signer and its sense: it is read once. */
function readStatement(signed: SignedStatement): OwnStatement | undefined {
  if (!known.has(signed)) known.set(signed, parseStatement(signed))
  return known.get(signed)
}

function parseStatement({ statement }: SignedStatement): OwnStatement | undefined {
  const value = parseCanonical(statement, limits)
  if (!value.ok) return undefined
  const read = decisionStatementSchema.or(receiptStatementSchema).safeParse(value.value)
  return read.success ? read.data : undefined
}
