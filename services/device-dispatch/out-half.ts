import { type Decision, type DeviceId, eventId, type Order, orderObligationsSchema, type StageName } from '@interlock/contracts'
import {
  decideOn,
  type EnforcerParts,
  isGenuine,
  type Processor,
  sealDecisions,
  signedEventId,
  type Write,
} from '@interlock/enforcer'
import { decide } from './decide.ts'
import { DispatchedIntents, horizonMs } from './dispatched-intents.ts'

const name: StageName = 'device-dispatch'
const output = 'decisions.device-dispatch'

/** By job: decides once on each intent, and tells the device what it allowed. */
export function outHalf(parts: EnforcerParts): Processor<DispatchedIntents> {
  return {
    name,
    half: 'out',
    inputs: ['decisions.approval-router'],
    outputs: [output, 'dispatch'],
    memories: [],
    broadcasts: [],
    tables: ['control.agents', 'control.devices', 'control.revocations', 'control.stops'],
    horizonMs,
    remember: () => new DispatchedIntents(),
    eventOf: (incoming) => signedEventId(incoming.record),
    observe(memory, incoming) {
      if (incoming.position.topic !== output) return true
      if (!isGenuine(incoming, parts)) return false
      const decision = incoming.record as Decision
      memory.add(decision)
      // From the log, so signed: what this instance writes now it also sends, unless it dies, and then the log is read.
      if (incoming.bytes.length > 0) memory.keep(decision)
      return true
    },
    async react(memory, incoming, context) {
      if (!('verdict' in incoming.record) || incoming.record.verdict !== 'ALLOW') return []
      const decision = await decideOn({ name, decide }, memory, incoming, context, parts)
      return [{ topic: output, key: incoming.key, record: decision }, ...orderOf(decision)]
    },
    async repeat(memory, { position }) {
      const decision = memory.kept(eventId(name, position))
      return decision ? orderOf(decision) : []
    },
    forget: (memory, now) => memory.forget(now),
    seal: (writes) => sealDecisions(writes, parts.key),
  }
}

/** The order is the ALLOW itself, keyed by device; the device believes only its last statement. */
function orderOf(decision: Decision): Write[] {
  const signed = decision.statements.at(-1)
  if (decision.verdict !== 'ALLOW' || !signed) return []
  const { obligations } = JSON.parse(signed.statement.toString('utf8')) as { obligations: unknown }
  const { device, deadline } = orderObligationsSchema.parse(obligations)
  const { intentId, jobId, decidedAt, intent, approvals, statements } = decision
  const order: Order = {
    eventId: decision.eventId,
    intentId,
    jobId,
    device: device as DeviceId,
    decidedAt,
    deadline,
    intent,
    approvals,
    statements,
  }
  return [{ topic: 'dispatch', key: device, record: order }]
}
