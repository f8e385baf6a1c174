import {
  type Decision,
  decisionStatementSchema,
  eventId,
  type Outcome,
  type Receipt,
  type SignedStatement,
  stageNames,
} from '@interlock/contracts'
import { type Incoming, isGenuine, type Processor, signedEventId, stageBefore, type Verifier } from '@interlock/enforcer'
import { digest, parseCanonical, verifySignedStatement } from '@interlock/trust'
import { type Ending, endingOfDecision, endingOfReceipt } from './decide.ts'
import { EndedIntents, horizonMs } from './ended-intents.ts'

const name = 'outcomes'
const output = 'outcomes'

/** Reads every decision and receipt, and writes one outcome for each intent that a signed one of them ended. */
export function outcomes(verifier: Pick<Verifier, 'trust' | 'roots'>): Processor<EndedIntents> {
  return {
    name,
    inputs: [...stageNames.map((stage) => `decisions.${stage}`), 'receipts'],
    outputs: [output],
    memories: [],
    broadcasts: [],
    tables: [],
    horizonMs,
    remember: () => new EndedIntents(),
    eventOf: ({ record, position }) => (position.topic === output ? (record as Outcome).eventId : signedEventId(record)),
    observe(memory, incoming) {
      // Own outcomes tell only what is answered: signed by nobody, they must not end an intent that nobody ended.
      if (incoming.position.topic === output) return true
      if (!isGenuine(incoming, verifier)) return false
      const { record, position } = incoming as Incoming<'Decision' | 'Receipt'>
      if (endingOf(record, verifier)) memory.add(record.intentId, eventId(name, position), record.decidedAt)
      return true
    },
    async react(memory, incoming) {
      const { record, position, key } = incoming as Incoming<'Decision' | 'Receipt'>
      const ending = endingOf(record, verifier)
      const event = eventId(name, position)
      if (!ending || !memory.isEndedBy(record.intentId, event)) return []
      const { intentId, jobId, device, decidedAt } = record
      const outcome: Outcome = { eventId: event, intentId, jobId, device, decidedAt, ...ending, reasons: [...ending.reasons] }
      return [{ topic: output, key, record: outcome }]
    },
    forget: (memory, now) => memory.forget(now),
  }
}

function endingOf(record: Decision | Receipt, verifier: Pick<Verifier, 'trust' | 'roots'>): Ending | undefined {
  if (!('verdict' in record)) return endingOfReceipt(record)
  const ending = endingOfDecision(record)
  return ending && answersTheStageBefore(record, verifier) ? ending : undefined
}

/**
 * Whether what a stage refused was truly the intent on its way. A record that somebody forged into a stage's input is refused under the
 * intentId it names; that must not end the intent of that name, which comes by itself.
 */
function answersTheStageBefore(
  { stage, intentId, statements }: Decision,
  { trust, roots }: Pick<Verifier, 'trust' | 'roots'>,
): boolean {
  if (stage === 'identity-verify') return true
  const before = statements.at(-2)
  const read = before && statementOf(before)
  const own = statementOf(statements.at(-1) as SignedStatement)
  if (!before || !read || own?.previous !== digest(before.statement)) return false
  const signer = verifySignedStatement(before, trust, roots)
  if (!signer.ok || signer.value.role.kind !== 'enforcer') return false
  const isStageBefore = read.stage === stageBefore(stage as (typeof stageNames)[number]) && signer.value.role.stage === read.stage
  return isStageBefore && read.verdict === 'ALLOW' && read.intentId === intentId
}

function statementOf({ statement }: SignedStatement) {
  const parsed = parseCanonical(statement, { bytesMax: 65_536, depthMax: 12 })
  return parsed.ok ? decisionStatementSchema.safeParse(parsed.value).data : undefined
}
