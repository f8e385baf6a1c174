import {
  type Ack,
  type AckStatement,
  type Decision,
  type DecisionStatement,
  type EventId,
  type Receipt,
  type ReceiptStatement,
  type SignedStatement,
  type StageName,
  stageNames,
} from '@interlock/contracts'
import { statementOf } from '@interlock/enforcer'
import type { Fixture } from '@interlock/sdk/fixture'
import { canonicalBytes, digest, signStatements } from '@interlock/trust'

let serial = 100

/** What the next stage decides on a decision, really signed, in the same partition. */
export async function answered(
  fixture: Fixture,
  before: Decision,
  change: Partial<DecisionStatement> = {},
  signer?: string,
): Promise<Decision> {
  const own = statementOf(before) as DecisionStatement
  const stage = stageNames[stageNames.indexOf(own.stage) + 1] as StageName
  const partition = own.eventId.split(':')[2]
  const statement: DecisionStatement = {
    ...own,
    stage,
    eventId: `${stage}:decisions.${own.stage}:${partition}:${serial++}`,
    previous: digest((before.statements.at(-1) as SignedStatement).statement),
    reasons: [],
    obligations: {},
    ...change,
  }
  const [signed] = await signStatements([canonicalBytes(statement)], fixture.key(signer ?? stage))
  const { eventId, verdict, reasons } = statement
  const statements = [...before.statements, signed as SignedStatement]
  return { ...before, stage, eventId: eventId as EventId, verdict, reasons, statements }
}

export const no = (reason: string): Partial<DecisionStatement> => ({ verdict: 'DENY', reasons: [reason] })

type Said = { readonly status: AckStatement['status']; readonly measured?: AckStatement['measured'] }

/** What device-dispatch signs of a device's word on a command, or of its silence. The ack's own signature is not looked at here any more. */
export async function receiptOf(
  fixture: Fixture,
  decision: Decision,
  said: Said | undefined,
  change: Partial<ReceiptStatement> = {},
  signer = 'device-dispatch',
): Promise<Receipt> {
  const { intentId, jobId, device } = decision
  const orderDigest = digest(Buffer.from('order'))
  const ack = said && ackOf(fixture, decision, said, orderDigest)
  const statement: ReceiptStatement = {
    stage: 'device-dispatch',
    eventId: `device-dispatch:acks:3:${serial++}`,
    intentId,
    jobId,
    orderDigest,
    result: said ? 'verified' : 'timed-out',
    status: said?.status ?? '',
    reasons: [],
    ack: ack ? digest(ack) : '',
    decidedAt: decision.decidedAt + 1000,
    ...change,
  }
  const [signed] = await signStatements([canonicalBytes(statement)], fixture.key(signer))
  return {
    eventId: statement.eventId as EventId,
    intentId,
    jobId,
    device,
    owner: '',
    result: statement.result,
    status: statement.status,
    reasons: [],
    detail: '{}',
    orderDigest,
    measured: '{"energyJoules":1}',
    tpmClockMs: 0,
    tpmResetCount: 0,
    tpmRestartCount: 0,
    tpmSafe: true,
    tpmFirmware: '',
    pcrDigest: '',
    decidedAt: statement.decidedAt,
    ack: ack ?? null,
    statement: signed as SignedStatement,
  }
}

function ackOf(fixture: Fixture, { intentId, jobId, device }: Decision, { status, measured = {} }: Said, orderDigest: string) {
  const statement: AckStatement = {
    intentId,
    device,
    orderDigest,
    nonce: digest(Buffer.from('nonce')),
    status,
    reason: '',
    measured,
    at: fixture.now,
  }
  const ack: Ack = {
    intentId,
    jobId,
    device,
    status,
    statement: canonicalBytes(statement),
    attest: Buffer.of(1),
    signature: Buffer.of(1),
  }
  return fixture.codec.encode('acks', ack)
}
