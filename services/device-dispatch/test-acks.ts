import { createHash } from 'node:crypto'
import {
  type Ack,
  type AckStatement,
  type DecisionStatement,
  type IntentId,
  type JobId,
  type Order,
  type OrderObligations,
  partitionOf,
} from '@interlock/contracts'
import { statementOf } from '@interlock/enforcer'
import { buildOrder, type Fixture, type OrderPlan } from '@interlock/sdk/fixture'
import { type AttestFields, type SoftwareKey, sampleQuote } from '@interlock/tpm/test-attestation'
import { canonicalBytes, digest } from '@interlock/trust'

let serial = 0

/** A good order for laser-1, where its job's partition puts its decisions. */
export function orderFor(fixture: Fixture, plan: OrderPlan = {}): Promise<Order> {
  const place = `:${partitionOf(fixture.job.jobId, 6)}:${serial++}`
  return buildOrder(fixture, {
    ...plan,
    editStatement: (statement) => {
      const placed = { ...statement, eventId: statement.eventId.replace(':0:7', place) }
      return plan.editStatement?.(placed) ?? placed
    },
  })
}

/** What a device that does its work says of an order. */
export function ackStatementOf(order: Order, change: Partial<AckStatement> = {}): AckStatement {
  const { obligations } = statementOf({ ...order, stage: 'device-dispatch' } as never) as DecisionStatement
  return {
    intentId: order.intentId,
    device: order.device,
    orderDigest: digest((order.statements.at(-1) as Order['statements'][number]).statement),
    nonce: (obligations as OrderObligations).nonce,
    status: 'completed',
    reason: '',
    measured: { energyJoules: 1200 },
    at: order.decidedAt,
    ...change,
  }
}

/** An ack over a statement by a key in software: each field of the quote can be forged and still be signed. */
export function ackBy(key: SoftwareKey, statement: AckStatement, fields: Partial<AttestFields> = {}): Ack {
  const bytes = canonicalBytes(statement)
  const extraData = createHash('sha256').update(bytes).digest()
  const { attest, signature } = sampleQuote(key, { extraData, ...fields })
  return {
    intentId: statement.intentId as IntentId,
    jobId: 'job-1' as JobId,
    device: statement.device as Ack['device'],
    status: statement.status,
    statement: bytes,
    attest: Buffer.from(attest),
    signature: Buffer.from(signature),
  }
}
