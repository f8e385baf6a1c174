import type { Ending } from '@interlock/bounds'
import { ackStatementSchema, type Decision, type Receipt, type StageName } from '@interlock/contracts'
import { answersStageBefore, type Incoming, isDecisionOf, statementOf, type Verifier } from '@interlock/enforcer'
import { digest, parseCanonical } from '@interlock/trust'
import type { JobMemory } from './job-memory.ts'
import { nameOf } from './reserve.ts'

/** Refusals of a record that came again: the command that it names goes its own way. */
const aboutTheRecord: ReadonlySet<string> = new Set(['replayed', 'refused-before'])

/** What became of a command after it was allowed here. Only what is signed counts; nothing else gives anything back. */
export function recall(memory: JobMemory, incoming: Incoming, verifier: Verifier): void {
  const { topic } = incoming.position
  if (topic === 'receipts') recallReceipt(memory, incoming as Incoming<'Receipt'>, verifier)
  else recallDecision(memory, incoming as Incoming<'Decision'>, verifier, topic.slice('decisions.'.length) as StageName)
}

function recallDecision(memory: JobMemory, incoming: Incoming<'Decision'>, verifier: Verifier, stage: StageName): void {
  const decision = incoming.record
  const statement = isDecisionOf(stage, incoming, verifier) ? statementOf(decision) : undefined
  if (!statement || !('verdict' in statement)) return
  const { verdict, reasons, decidedAt } = statement
  const isRouter = stage === 'approval-router'
  if (isRouter && verdict === 'ALLOW') memory.passOn(statement.previous, decidedAt)
  if (verdict !== 'DENY' || reasons.some((reason) => aboutTheRecord.has(reason)) || !answersStageBefore(decision, verifier))
    return
  const ours = isRouter ? statement.previous : beforeRouter(decision)
  // Who allows first and denies then has let it go: it may be with the device.
  if (ours === undefined || (isRouter && memory.isPassedOn(ours))) return
  memory.end(ours, { kind: 'returned' }, decidedAt)
}

/** The digest of our statement, as approval-router's names it; that one's signature was verified with the answer to it. */
function beforeRouter(decision: Decision): string | undefined {
  const router = statementOf({ ...decision, statements: decision.statements.slice(0, -1) })
  return router && 'previous' in router ? router.previous : undefined
}

function recallReceipt(memory: JobMemory, { record }: Incoming<'Receipt'>, verifier: Verifier): void {
  const statement = statementOf(record)
  if (!statement || !('result' in statement)) return
  const ending = endingOf(statement.result, statement.status, () => measuredIn(record, statement.ack, verifier))
  if (ending) memory.end(nameOf(statement.jobId, statement.intentId), ending, statement.decidedAt)
}

/**
 * A device that did not begin has used nothing. One that failed, or of which nobody knows, has used what it says, and all that was reserved where it
 * says nothing: a time-out gives nothing back.
 */
function endingOf(result: string, status: string, measured: () => Record<string, unknown>): Ending | undefined {
  if (result === 'timed-out') return { kind: 'used', measured: {}, isDone: false }
  if (result !== 'verified') return undefined
  if (status === 'refused') return { kind: 'returned' }
  return status === 'completed' || status === 'failed'
    ? { kind: 'used', measured: measured(), isDone: status === 'completed' }
    : undefined
}

/** From the ack itself, whose digest is signed, not from the receipt's columns. */
function measuredIn({ ack }: Receipt, signed: string, { codec }: Verifier): Record<string, unknown> {
  const decoded = ack && digest(ack) === signed ? codec.decode('acks', ack, 'Ack') : undefined
  const parsed = decoded?.ok ? parseCanonical(decoded.value.statement, { bytesMax: 65_536, depthMax: 8 }) : undefined
  return (parsed?.ok ? ackStatementSchema.safeParse(parsed.value).data?.measured : undefined) ?? {}
}
