import { createHash } from 'node:crypto'
import type {
  Ack,
  Alert,
  Appraisal,
  Approval,
  ControlEntry,
  DeadLetter,
  Decision,
  Intent,
  IssuedToken,
  Order,
  Outcome,
  Receipt,
  RecordName,
  Records,
} from '@interlock/contracts'
import { claimedPrincipals } from './claims.ts'
import type { Columns, Row } from './row-binary.ts'

/** Where a record lay and the batch it came in with. */
export type Origin = {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly key: Buffer
  /** Kafka's timestamp, milliseconds. */
  readonly recordTime: number
  /** Of the batch, milliseconds. */
  readonly recordedAt: number
  /** Whether it lies at the offset that its writer decided it for. */
  readonly isInPlace: boolean
  readonly raw: Buffer
}

/** One kind of record as a table: what its columns are, and what a record puts into them. Must match ops/clickhouse/*.sql (a test compares). */
export type Table<Name extends RecordName = RecordName> = {
  readonly name: string
  readonly columns: Columns
  readonly row: (record: Records[Name], origin: Origin) => Row
}

const place = {
  topic: 'String',
  partition: 'UInt16',
  offset: 'UInt64',
  key: 'String',
  record_time: 'DateTime64(3)',
  recorded_at: 'DateTime64(3)',
  in_place: 'Bool',
} as const
const identity = { event_id: 'String', intent_id: 'String', job_id: 'String' } as const

const placeOf = (origin: Origin) => ({
  topic: origin.topic,
  partition: origin.partition,
  offset: origin.offset,
  key: origin.key,
  record_time: origin.recordTime,
  recorded_at: origin.recordedAt,
  in_place: origin.isInPlace,
})
/** A record that answers nothing is known by where it lies. */
const positionOf = ({ topic, partition, offset }: Origin) => `${topic}:${partition}:${offset}`

const intents: Table<'Intent'> = {
  name: 'intents',
  columns: {
    ...place,
    ...identity,
    human: 'String',
    agent: 'String',
    device: 'String',
    capability: 'String',
    command: 'String',
    command_digest: 'String',
    program_bytes: 'UInt32',
    tokens: 'UInt16',
    raw: 'String',
  },
  row: (intent: Intent, origin) => ({
    ...placeOf(origin),
    event_id: positionOf(origin),
    intent_id: intent.intentId,
    job_id: intent.jobId,
    ...claimedPrincipals(intent),
    device: intent.device,
    capability: intent.capability,
    command: intent.command,
    command_digest: createHash('sha256').update(intent.command).digest('base64url'),
    program_bytes: intent.program?.length ?? 0,
    tokens: intent.tokens.length,
    raw: origin.raw,
  }),
}

const decisions: Table<'Decision'> = {
  name: 'decisions',
  columns: {
    ...place,
    ...identity,
    stage: 'String',
    verdict: 'String',
    reasons: 'Array(String)',
    detail: 'String',
    human: 'String',
    agent: 'String',
    definition: 'String',
    owner: 'String',
    device: 'String',
    capability: 'String',
    risk: 'String',
    policy: 'String',
    command_digest: 'String',
    decided_at: 'DateTime64(3)',
    expires_at: 'DateTime64(3)',
    raw: 'String',
  },
  row: (decision: Decision, origin) => ({
    ...placeOf(origin),
    event_id: decision.eventId,
    intent_id: decision.intentId,
    job_id: decision.jobId,
    stage: decision.stage,
    verdict: decision.verdict,
    reasons: decision.reasons,
    detail: decision.detail,
    human: decision.human,
    agent: decision.agent,
    definition: decision.definition,
    owner: decision.owner,
    device: decision.device,
    capability: decision.capability,
    risk: decision.risk,
    policy: decision.policy,
    command_digest: decision.commandDigest,
    decided_at: decision.decidedAt,
    expires_at: decision.expiresAt,
    raw: origin.raw,
  }),
}

const approvals: Table<'Approval'> = {
  name: 'approvals',
  columns: {
    ...place,
    ...identity,
    approval_id: 'String',
    human: 'String',
    answer: 'String',
    request: 'String',
    credential_id: 'String',
    raw: 'String',
  },
  row: (approval: Approval, origin) => ({
    ...placeOf(origin),
    event_id: positionOf(origin),
    intent_id: approval.intentId,
    job_id: approval.jobId,
    approval_id: approval.approvalId,
    human: approval.human,
    answer: approval.answer,
    request: approval.request,
    credential_id: approval.credentialId,
    raw: origin.raw,
  }),
}

const orders: Table<'Order'> = {
  name: 'orders',
  columns: { ...place, ...identity, device: 'String', decided_at: 'DateTime64(3)', deadline: 'DateTime64(3)', raw: 'String' },
  row: (order: Order, origin) => ({
    ...placeOf(origin),
    event_id: order.eventId,
    intent_id: order.intentId,
    job_id: order.jobId,
    device: order.device,
    decided_at: order.decidedAt,
    deadline: order.deadline,
    raw: origin.raw,
  }),
}

const acks: Table<'Ack'> = {
  name: 'acks',
  columns: { ...place, ...identity, device: 'String', status: 'String', statement: 'String', raw: 'String' },
  row: (ack: Ack, origin) => ({
    ...placeOf(origin),
    event_id: positionOf(origin),
    intent_id: ack.intentId,
    job_id: ack.jobId,
    device: ack.device,
    status: ack.status,
    statement: ack.statement,
    raw: origin.raw,
  }),
}

const receipts: Table<'Receipt'> = {
  name: 'receipts',
  columns: {
    ...place,
    ...identity,
    device: 'String',
    owner: 'String',
    result: 'String',
    status: 'String',
    reasons: 'Array(String)',
    detail: 'String',
    order_digest: 'String',
    measured: 'String',
    tpm_clock_ms: 'UInt64',
    tpm_reset_count: 'UInt64',
    tpm_restart_count: 'UInt64',
    tpm_safe: 'Bool',
    tpm_firmware: 'String',
    pcr_digest: 'String',
    decided_at: 'DateTime64(3)',
    raw: 'String',
  },
  row: (receipt: Receipt, origin) => ({
    ...placeOf(origin),
    event_id: receipt.eventId,
    intent_id: receipt.intentId,
    job_id: receipt.jobId,
    device: receipt.device,
    owner: receipt.owner,
    result: receipt.result,
    status: receipt.status,
    reasons: receipt.reasons,
    detail: receipt.detail,
    order_digest: receipt.orderDigest,
    measured: receipt.measured,
    tpm_clock_ms: receipt.tpmClockMs,
    tpm_reset_count: receipt.tpmResetCount,
    tpm_restart_count: receipt.tpmRestartCount,
    tpm_safe: receipt.tpmSafe,
    tpm_firmware: receipt.tpmFirmware,
    pcr_digest: receipt.pcrDigest,
    decided_at: receipt.decidedAt,
    raw: origin.raw,
  }),
}

const outcomes: Table<'Outcome'> = {
  name: 'outcomes',
  columns: {
    ...place,
    ...identity,
    device: 'String',
    owner: 'String',
    status: 'String',
    stage: 'String',
    reasons: 'Array(String)',
    detail: 'String',
    decided_at: 'DateTime64(3)',
    raw: 'String',
  },
  row: (outcome: Outcome, origin) => ({
    ...placeOf(origin),
    event_id: outcome.eventId,
    intent_id: outcome.intentId,
    job_id: outcome.jobId,
    device: outcome.device,
    owner: outcome.owner,
    status: outcome.status,
    stage: outcome.stage,
    reasons: outcome.reasons,
    detail: outcome.detail,
    decided_at: outcome.decidedAt,
    raw: origin.raw,
  }),
}

const issuedTokens: Table<'IssuedToken'> = {
  name: 'issued_tokens',
  columns: {
    ...place,
    event_id: 'String',
    token_id: 'String',
    issuer: 'String',
    job_id: 'String',
    human: 'String',
    agent: 'String',
    certificate: 'String',
    parent: 'String',
    signing_input: 'String',
    issued_at: 'DateTime64(3)',
    expires_at: 'DateTime64(3)',
    raw: 'String',
  },
  row: (token: IssuedToken, origin) => ({
    ...placeOf(origin),
    event_id: positionOf(origin),
    token_id: token.tokenId,
    issuer: token.issuer,
    job_id: token.jobId,
    human: token.human,
    agent: token.agent,
    certificate: token.certificate,
    parent: token.parent,
    signing_input: token.signingInput,
    issued_at: token.issuedAt,
    expires_at: token.expiresAt,
    raw: origin.raw,
  }),
}

const appraisals: Table<'Appraisal'> = {
  name: 'appraisals',
  columns: {
    ...place,
    event_id: 'String',
    subject: 'String',
    status: 'String',
    reason: 'String',
    certificate: 'String',
    result: 'String',
    appraised_at: 'DateTime64(3)',
    raw: 'String',
  },
  row: (appraisal: Appraisal, origin) => ({
    ...placeOf(origin),
    event_id: positionOf(origin),
    subject: appraisal.subject,
    status: appraisal.status,
    reason: appraisal.reason,
    certificate: appraisal.certificate,
    result: appraisal.result,
    appraised_at: appraisal.appraisedAt,
    raw: origin.raw,
  }),
}

const alerts: Table<'Alert'> = {
  name: 'alerts',
  columns: {
    ...place,
    event_id: 'String',
    alert_id: 'String',
    rule: 'String',
    severity: 'String',
    source: 'String',
    job_id: 'String',
    subject: 'String',
    message: 'String',
    finding: 'String',
    raised_at: 'DateTime64(3)',
    raw: 'String',
  },
  row: (alert: Alert, origin) => ({
    ...placeOf(origin),
    event_id: positionOf(origin),
    alert_id: alert.alertId,
    rule: alert.rule,
    severity: alert.severity,
    source: alert.source,
    job_id: alert.jobId,
    subject: alert.subject,
    message: alert.message,
    finding: alert.finding,
    raised_at: alert.raisedAt,
    raw: origin.raw,
  }),
}

const controlEntries: Table<'ControlEntry'> = {
  name: 'control_entries',
  columns: {
    ...place,
    event_id: 'String',
    id: 'String',
    revision: 'UInt64',
    statement: 'String',
    key_id: 'String',
    signature: 'String',
    raw: 'String',
  },
  row: (entry: ControlEntry, origin) => ({
    ...placeOf(origin),
    event_id: positionOf(origin),
    id: entry.id,
    revision: entry.revision,
    statement: entry.statement,
    key_id: entry.keyId,
    signature: entry.signature,
    raw: origin.raw,
  }),
}

const none = Buffer.alloc(0)

export const deadLetters: Table<'DeadLetter'> = {
  name: 'deadletters',
  columns: {
    ...place,
    event_id: 'String',
    consumer: 'String',
    source_topic: 'String',
    source_partition: 'UInt16',
    source_offset: 'UInt64',
    reason: 'String',
    detail: 'String',
    value_absent: 'Bool',
    source_key: 'String',
    value: 'String',
    raw: 'String',
  },
  row: (letter: DeadLetter, origin) => ({
    ...placeOf(origin),
    event_id: letter.eventId,
    consumer: letter.consumer,
    source_topic: letter.topic,
    source_partition: letter.partition,
    source_offset: letter.offset,
    reason: letter.reason,
    detail: letter.detail,
    value_absent: letter.value === null,
    source_key: letter.key ?? none,
    value: letter.value ?? none,
    raw: origin.raw,
  }),
}

/** The row of a record that audit itself could not read. */
export function unreadableRow(origin: Origin, absent: boolean, reason: string, detail: string): Row {
  const { topic, partition, offset } = origin
  return {
    ...placeOf(origin),
    event_id: `audit:${positionOf(origin)}`,
    consumer: 'audit',
    source_topic: topic,
    source_partition: partition,
    source_offset: offset,
    reason,
    detail,
    value_absent: absent,
    source_key: origin.key,
    value: origin.raw,
    raw: none,
  }
}

/** The table of each kind of record: adding a record is a line here and a file in ops/clickhouse. */
export const tables: { readonly [Name in RecordName]: Table<Name> } = {
  Intent: intents,
  Decision: decisions,
  Approval: approvals,
  Order: orders,
  Ack: acks,
  Receipt: receipts,
  Outcome: outcomes,
  IssuedToken: issuedTokens,
  Appraisal: appraisals,
  Alert: alerts,
  ControlEntry: controlEntries,
  DeadLetter: deadLetters,
}
