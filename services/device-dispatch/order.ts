import {
  type Decision,
  type DecisionStatement,
  type DeviceId,
  type EventId,
  type IntentId,
  type JobId,
  type Order,
  type OrderObligations,
  orderObligationsSchema,
  type SignedStatement,
} from '@interlock/contracts'
import { type IdentityObligations, obligationsOf, statementOf, type Write } from '@interlock/enforcer'
import { digest } from '@interlock/trust'

/** device-dispatch's ALLOW among a record's statements, the last one: what makes a record an order. Undefined for anything else. */
export function readOrder(
  record: Pick<Decision, 'statements'>,
): { readonly statement: DecisionStatement; readonly obligations: OrderObligations } | undefined {
  const statement = statementOf(record as Decision)
  if (!statement || !('verdict' in statement) || statement.stage !== 'device-dispatch' || statement.verdict !== 'ALLOW')
    return undefined
  const obligations = orderObligationsSchema.safeParse(statement.obligations)
  return obligations.success ? { statement, obligations: obligations.data } : undefined
}

/**
 * The human who answers for the agent that asked: from identity-verify's statement, found link by link from the signed one at the end, each read only when its digest is that of
 * the link after it. Empty where a link is broken: who wrote the record may have put another in.
 */
export function ownerIn({ statements }: Pick<Decision, 'statements'>): string {
  let linked: DecisionStatement | undefined
  for (const { statement } of statements.toReversed()) {
    if (linked && linked.previous !== digest(statement)) return ''
    linked = JSON.parse(statement.toString('utf8')) as DecisionStatement
  }
  const owner = linked && obligationsOf<IdentityObligations>([linked], 'identity-verify')?.owner
  return typeof owner === 'string' ? owner.slice(0, 256) : ''
}

/** The order is the ALLOW itself, keyed by device; the device believes only its statements. None for a refusal. */
export function orderOf(record: {
  readonly intent: Buffer
  readonly approvals: Buffer[]
  readonly statements: SignedStatement[]
}): Write<'Order'>[] {
  const read = readOrder(record)
  if (!read) return []
  const { eventId, intentId, decidedAt } = read.statement
  const { device, jobId, deadline } = read.obligations
  const order: Order = {
    eventId: eventId as EventId,
    intentId: intentId as IntentId,
    jobId: jobId as JobId,
    device: device as DeviceId,
    decidedAt,
    deadline,
    intent: record.intent,
    approvals: record.approvals,
    statements: record.statements,
  }
  return [{ topic: 'dispatch', key: device, record: order }]
}
