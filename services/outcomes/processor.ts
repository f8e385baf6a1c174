import { type Decision, eventId, type Outcome, partitionOf, type StageName, stageNames } from '@interlock/contracts'
import {
  answersStageBefore,
  type IdentityObligations,
  type Incoming,
  isDecisionOf,
  isGenuine,
  obligationsOf,
  type Processor,
  type ServiceParts,
  signedEventId,
  statementOf,
} from '@interlock/enforcer'
import { endingOfDecision, endingOfReceipt } from './decide.ts'
import { EndedIntents, horizonMs } from './ended-intents.ts'

const name = 'outcomes'
const output = 'outcomes'

type Parts = Pick<ServiceParts, 'trust' | 'roots' | 'topology'> & { readonly count: (status: Outcome['status']) => void }

/** Reads every decision and receipt, and writes one outcome for each intent that a signed one of them ended. */
export function outcomes(parts: Parts): Processor<EndedIntents> {
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
      return incoming.position.topic === 'receipts'
        ? observeReceipt(memory, incoming as Incoming<'Receipt'>, parts)
        : observeDecision(memory, incoming as Incoming<'Decision'>, parts)
    },
    async react(memory, incoming) {
      const { record, position, key } = incoming as Incoming<'Decision' | 'Receipt'>
      const ending = 'verdict' in record ? endingOfDecision(record) : endingOfReceipt(record)
      const event = eventId(name, position)
      if (!ending || !memory.isEndedBy(record.intentId, event)) return []
      const { intentId, jobId, device, decidedAt } = record
      const owner = memory.ownerOf(intentId)
      const outcome: Outcome = {
        eventId: event,
        intentId,
        jobId,
        device,
        owner,
        decidedAt,
        ...ending,
        reasons: [...ending.reasons],
      }
      parts.count(outcome.status)
      return [{ topic: output, key, record: outcome }]
    },
    forget: (memory, now) => memory.forget(now),
  }
}

function observeDecision(memory: EndedIntents, incoming: Incoming<'Decision'>, parts: Parts): boolean {
  const { record, position, key } = incoming
  const stage = position.topic.slice('decisions.'.length) as StageName
  if (!isDecisionOf(stage, incoming, parts)) return false
  // An intent has its outcome where its job lies. Elsewhere lie copies, and what nobody can put together with the rest.
  if (key !== record.jobId || !isHome(record.jobId, incoming, parts)) return false
  const statement = statementOf(record)
  if (!statement || !('verdict' in statement)) return false
  if (stage === 'identity-verify' && statement.verdict === 'ALLOW') {
    const owner = obligationsOf<IdentityObligations>([statement], stage)?.owner ?? ''
    memory.begin(statement.intentId, statement.decidedAt, owner)
  }
  const ending = endingOfDecision(record)
  if (ending && endsItsIntent(memory, record, parts)) memory.add(statement.intentId, eventId(name, position), statement.decidedAt)
  return true
}

/** Whether a refusal is about the intent on its way, and not about something that only bears its name. */
function endsItsIntent(memory: EndedIntents, decision: Decision, parts: Parts): boolean {
  // Once it has begun, whatever else is submitted under its id is refused by itself.
  if (decision.stage === 'identity-verify') return !memory.hasBegun(decision.intentId)
  return answersStageBefore(decision, parts)
}

function observeReceipt(memory: EndedIntents, incoming: Incoming<'Receipt'>, parts: Parts): boolean {
  const statement = isGenuine(incoming, parts) ? statementOf(incoming.record) : undefined
  if (!statement || !('result' in statement) || !isHome(statement.jobId, incoming, parts)) return false
  if (endingOfReceipt(incoming.record)) memory.add(statement.intentId, eventId(name, incoming.position), statement.decidedAt)
  return true
}

function isHome(jobId: string, { position }: Incoming, { topology }: Parts): boolean {
  return partitionOf(jobId, topology.topics.get(position.topic)?.partitions ?? 1) === position.partition
}
