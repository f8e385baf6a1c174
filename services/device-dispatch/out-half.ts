import { type Decision, eventId, type StageName } from '@interlock/contracts'
import {
  answersStageBefore,
  decideOn,
  type EnforcerParts,
  type Incoming,
  isDecisionOf,
  type Processor,
  sealDecisions,
  signedEventId,
  statementOf,
} from '@interlock/enforcer'
import { decide } from './decide.ts'
import { DispatchedIntents, horizonMs } from './dispatched-intents.ts'
import { orderOf } from './order.ts'

const name: StageName = 'device-dispatch'
const input = 'decisions.approval-router'
const output = 'decisions.device-dispatch'

/** By job: decides once on each intent, and tells the device what it allowed. */
export function outHalf(parts: EnforcerParts): Processor<DispatchedIntents> {
  return {
    name,
    half: 'out',
    inputs: [input],
    outputs: [output, 'dispatch'],
    memories: [],
    broadcasts: [],
    tables: ['control.agents', 'control.devices', 'control.policies', 'control.revocations', 'control.stops'],
    horizonMs,
    remember: () => new DispatchedIntents(),
    eventOf: (incoming) => signedEventId(incoming.record),
    observe(memory, incoming) {
      if (incoming.position.topic === output) return remember(memory, incoming as Incoming<'Decision'>, parts)
      if (incoming.position.topic === input) noteRefusal(memory, incoming as Incoming<'Decision'>, parts)
      return true
    },
    async react(memory, incoming, context) {
      if (!('verdict' in incoming.record) || incoming.record.verdict !== 'ALLOW') return []
      const decision = await decideOn({ name, decide }, memory, incoming, context, parts)
      return [{ topic: output, key: incoming.key, record: decision }, ...orderOf(decision)]
    },
    async repeat(memory, { position, record }) {
      const signed = memory.kept(eventId(name, position))
      const { intent, approvals, statements } = record as Decision
      return signed ? orderOf({ intent, approvals, statements: [...statements, signed] }) : []
    },
    forget: (memory, now) => memory.forget(now),
    seal: (writes) => sealDecisions(writes, parts.key),
  }
}

function remember(memory: DispatchedIntents, incoming: Incoming<'Decision'>, parts: EnforcerParts): boolean {
  if (!isDecisionOf(name, incoming, parts)) return false
  const { record, bytes } = incoming
  const statement = statementOf(record)
  if (!statement) return false
  if (record.verdict === 'ALLOW' || answersStageBefore(record, parts)) memory.add(statement)
  const signed = record.statements.at(-1)
  // From the log, so signed: what this instance writes now it also sends, unless it dies, and then the log is read.
  if (bytes.length > 0 && signed && record.verdict === 'ALLOW') memory.keep(record.eventId, signed)
  return true
}

/** Of a stage's decisions on an intent the first that is no ESCALATE counts: a no is not taken back by a later yes (ATTACKS 87). */
function noteRefusal(memory: DispatchedIntents, incoming: Incoming<'Decision'>, parts: EnforcerParts): void {
  if (incoming.record.verdict !== 'DENY' || !isDecisionOf('approval-router', incoming, parts)) return
  const statement = statementOf(incoming.record)
  if (statement && answersStageBefore(incoming.record, parts)) memory.refuse(statement)
}
