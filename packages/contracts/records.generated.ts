// Generated from schemas/*.avsc by `npm run generate`. A test fails when it is stale.
import type { CommandDigest, DeviceId, EventId, IntentId, JobId, OutcomeStatus, ReceiptResult, StageName } from './ids.ts'

export type AckStatus = 'accepted' | 'completed' | 'failed' | 'refused'

/** A device's answer, signed as it is enrolled: a TPM's quote whose extraData is the SHA-256 of statement, or a DICE's COSE_Sign1 over it. */
export type Ack = {
  intentId: IntentId
  jobId: JobId
  device: DeviceId
  status: AckStatus
  /** RFC 8785 JSON: packages/contracts/statement.ts, AckStatement */
  statement: Buffer
  /** TPMS_ATTEST of the quote; empty of a DICE */
  attest: Buffer
  /** TPMT_SIGNATURE, or COSE_Sign1 with the statement detached */
  signature: Buffer
}

/** Something that a human should look at. The flat fields are for routing and search; the finding says all of it in OCSF. */
export type Alert = {
  /** The finding's uid: what is raised again, as after a restart, has the same */
  alertId: string
  /** What was found, a code that stays: appraisal-overdue, counter-rollback and so on */
  rule: string
  /** informational, low, medium, high or critical (OCSF severity) */
  severity: string
  /** Service that found it */
  source: string
  /** Job concerned; empty where none is */
  jobId: string
  /** Whom or what it is about: SPIFFE ID, entry of a table, topic */
  subject: string
  /** In plain words */
  message: string
  /** OCSF 1.8.0 Detection Finding (class 2004), JSON */
  finding: string
  raisedAt: number
}

/** What the registry found of a platform, recorded before anything was issued for it. */
export type Appraisal = {
  /** SPIFFE ID of the agent's instance or the device */
  subject: string
  /** affirming or contraindicated (AR4SI) */
  status: string
  /** Why not, as a reason code; empty where affirming */
  reason: string
  /** x5t#S256 of the certificate that was issued for it; empty where none was */
  certificate: string
  /** Signed EAT attestation result (EAR), compact JWS */
  result: string
  appraisedAt: number
}

export type Answer = 'ALLOW' | 'DENY'

/** A human's signed answer to an ESCALATE. */
export type Approval = {
  approvalId: string
  intentId: IntentId
  jobId: JobId
  /** Who answers; the credential must be theirs */
  human: string
  answer: Answer
  /** RFC 8785 JSON: the approval request with the answer; its SHA-256 is the WebAuthn challenge */
  request: Buffer
  /** base64url */
  credentialId: string
  authenticatorData: Buffer
  clientDataJson: Buffer
  signature: Buffer
}

/** One row of a control table, signed by who may write the table. */
export type ControlEntry = {
  /** The record's key */
  id: string
  /** Grows with each change of the entry; an older one is never taken back */
  revision: number
  /** RFC 8785 JSON {table, id, revision, updatedAt, value}: packages/contracts/control.ts */
  statement: Buffer
  /** x5t#S256 of the writer's certificate in the trust bundle */
  keyId: string
  /** over 'interlock-control-v1' 0x00 || statement */
  signature: Buffer
}

/** A record that could not be read, with its bytes as they came. */
export type DeadLetter = {
  eventId: EventId
  consumer: string
  topic: string
  partition: number
  offset: number
  reason: string
  detail: string
  key: null | Buffer
  value: null | Buffer
  recordedAt: number
}

export type Verdict = 'ALLOW' | 'DENY' | 'ESCALATE'

export type Sha256 = Buffer

export type SignedStatement = {
  /** RFC 8785 JSON: packages/contracts/statement.ts */
  statement: Buffer
  /** x5t#S256 of the stage's certificate in the trust bundle */
  keyId: string
  /** ES256 (P1363) or Ed25519 over 'interlock-batch-v1' 0x00 || tree size (uint64) || root */
  signature: Buffer
  treeSize: number
  leafIndex: number
  /** RFC 9162 inclusion path */
  path: Sha256[]
}

/** One stage's signed verdict on one intent. Flat fields are for readers such as SIEM and ClickHouse; what is signed is in statements. */
export type Decision = {
  /** <stage>:<topic>:<partition>:<offset> of the input */
  eventId: EventId
  stage: StageName
  intentId: IntentId
  jobId: JobId
  /** sub of the root token as claimed until delegation-check allowed it; empty when unreadable */
  human: string
  /** SPIFFE ID of the actor as claimed until identity-verify allowed it */
  agent: string
  /** Definition hash of the acting agent; empty when unknown */
  definition: string
  /** The human who answers for that definition; empty when unknown */
  owner: string
  device: DeviceId
  capability: string
  verdict: Verdict
  /** Stable reason codes; empty for ALLOW */
  reasons: string[]
  /** JSON: what the reasons speak of (parameter, asked, nearest, limitOf …) */
  detail: string
  /** low, medium, high, or empty where not yet judged */
  risk: string
  /** Revision of the policy the decision was taken under; empty where none applies */
  policy: string
  /** base64url SHA-256 of the command */
  commandDigest: CommandDigest
  decidedAt: number
  expiresAt: number
  /** The Intent record's bytes exactly as submitted (Confluent frame and all) */
  intent: Buffer
  /** The Approval records' bytes that an ALLOW of approval-router rests on */
  approvals: Buffer[]
  /** The signed statements so far, identity-verify's first, this stage's last */
  statements: SignedStatement[]
}

/** A signed request for one command on one device. */
export type Intent = {
  /** UUID; the jti of the proof */
  intentId: IntentId
  /** What the human authorised; the correlation id everywhere, and the record's key */
  jobId: JobId
  device: DeviceId
  capability: string
  /** RFC 8785 JSON {capability, device, parameters, program?}; its SHA-256 is the commandDigest */
  command: Buffer
  /** The program's bytes where command.program names one and they fit inline */
  program: null | Buffer
  /** Task tokens (compact JWS), the human's root first, the acting agent's last */
  tokens: string[]
  /** Compact JWS, typ intent-proof+jwt, header x5c */
  proof: string
}

/** A task token, as the token service recorded it before handing it out. Without its signature: evidence of what was issued, not a token. */
export type IssuedToken = {
  /** jti */
  tokenId: string
  /** iss, a SPIFFE ID */
  issuer: string
  jobId: JobId
  human: string
  /** SPIFFE ID of the holder */
  agent: string
  /** x5t#S256 of the certificate that it is bound to */
  certificate: string
  /** Digest of the parent's signing input, base64url; empty for a root */
  parent: string
  /** header.payload of the compact JWS */
  signingInput: string
  issuedAt: number
  expiresAt: number
}

/** What a device is told: an ALLOW of device-dispatch, re-keyed. Nonce, deadline and device are signed in the last statement's obligations. */
export type Order = {
  eventId: EventId
  intentId: IntentId
  jobId: JobId
  device: DeviceId
  decidedAt: number
  deadline: number
  intent: Buffer
  approvals: Buffer[]
  statements: SignedStatement[]
}

/** What became of an intent. Exactly one an intent. */
export type Outcome = {
  eventId: EventId
  intentId: IntentId
  jobId: JobId
  device: DeviceId
  /** The human who answers for the definition of the agent that asked, as identity-verify signed; empty when unknown */
  owner: string
  /** completed, failed, refused, denied, expired, timed-out, cancelled (no enum: Avro symbols have no hyphen) */
  status: OutcomeStatus
  /** The stage that ended it; device for what the device said */
  stage: string
  reasons: string[]
  /** JSON */
  detail: string
  decidedAt: number
}

/** What device-dispatch found of an ack (verified or rejected), or that none came in time. */
export type Receipt = {
  eventId: EventId
  intentId: IntentId
  jobId: JobId
  device: DeviceId
  /** The human who answers for the definition of the agent that asked, as identity-verify signed; empty when unknown */
  owner: string
  /** verified, rejected, timed-out (no enum: Avro symbols have no hyphen) */
  result: ReceiptResult
  /** accepted, completed, failed, refused as the device said; empty on a time-out */
  status: string
  reasons: string[]
  /** JSON */
  detail: string
  /** base64url SHA-256 of device-dispatch's statement */
  orderDigest: string
  /** JSON: what the device says it did */
  measured: string
  /** tpm… and pcrDigest: of the ack's quote; 0, false and empty where there was none, as of a device with a DICE */
  tpmClockMs: number
  tpmResetCount: number
  tpmRestartCount: number
  tpmSafe: boolean
  /** hex; empty where there was no ack */
  tpmFirmware: string
  /** base64url; empty where there was no ack */
  pcrDigest: string
  decidedAt: number
  /** The Ack record's bytes as they came */
  ack: null | Buffer
  statement: SignedStatement
}

export type Records = { Ack: Ack; Alert: Alert; Appraisal: Appraisal; Approval: Approval; ControlEntry: ControlEntry; DeadLetter: DeadLetter; Decision: Decision; Intent: Intent; IssuedToken: IssuedToken; Order: Order; Outcome: Outcome; Receipt: Receipt }
export type RecordName = keyof Records
