import {
  type CommandDigest,
  type Decision,
  type DecisionStatement,
  type Detail,
  type EventPosition,
  eventId,
  type Intent,
  type IntentId,
  type SignedStatement,
  type StageName,
} from '@interlock/contracts'
import { canonicalBytes, digest } from '@interlock/trust'
import { type Claimed, claimsOf } from './claims.ts'
import type { BoundsObligations, DelegationObligations, IdentityObligations, StageInput, Verdict } from './stage.ts'

/** What a decision is about. `input` where it verified; where it did not, what could be read of the record. */
export type Subject = {
  readonly intent: Intent
  readonly intentBytes: Buffer
  readonly commandDigest: CommandDigest
  /** Signed statements of the stages before, as they came. */
  readonly before: readonly SignedStatement[]
  readonly statements: readonly DecisionStatement[]
  readonly approvals: readonly Buffer[]
}

/** The subject of an input whose chain was verified. `before` are the record's statements (none for an intent). */
export function subjectOf(input: StageInput, before: readonly SignedStatement[]): Subject {
  return {
    intent: input.intent,
    intentBytes: input.intentBytes,
    commandDigest: digest(input.intent.command) as CommandDigest,
    before: before.slice(0, input.statements.length),
    statements: input.statements,
    approvals: input.approvals.map(({ bytes }) => bytes),
  }
}

/**
 * A stage's Decision record with its own statement last, not yet signed: `sealDecisions` signs all of a batch at once.
 * `position` is the input's, or that of the record that expired.
 */
export function draftDecision<Reason extends string>(
  stage: StageName,
  position: EventPosition,
  subject: Subject,
  verdict: Verdict<Reason>,
  now: number,
): Decision {
  const isAllowed = verdict.verdict === 'ALLOW'
  const obligations = verdict.verdict === 'DENY' ? {} : verdict.obligations
  const expiresAt = verdict.verdict === 'DENY' ? now : verdict.expiresAt
  const id = eventId(stage, position)
  // Whoever wrote the record chose its length; a longer one is refused by identity-verify, and the refusal must be readable.
  const intentId = subject.intent.intentId.slice(0, intentIdMax) as IntentId
  const statement: DecisionStatement = {
    stage,
    eventId: id,
    intentId,
    commandDigest: subject.commandDigest,
    previous: digest(subject.before.at(-1)?.statement ?? subject.intentBytes),
    verdict: verdict.verdict,
    reasons: isAllowed ? [] : [...verdict.reasons],
    obligations,
    policy: verdict.policy ?? '',
    decidedAt: now,
    expiresAt,
  }
  return {
    eventId: id,
    stage,
    intentId,
    jobId: subject.intent.jobId,
    ...principals(claimsOf(subject.intent), [...subject.statements, statement]),
    device: subject.intent.device,
    capability: subject.intent.capability,
    verdict: verdict.verdict,
    reasons: statement.reasons,
    detail: detailText(verdict.detail ?? {}),
    risk: verdict.risk ?? obligationsOf<BoundsObligations>(subject.statements, 'semantic-bounds')?.risk ?? '',
    policy: statement.policy,
    commandDigest: subject.commandDigest,
    decidedAt: now,
    expiresAt,
    intent: subject.intentBytes,
    approvals: [...subject.approvals],
    statements: [...subject.before, unsigned(canonicalBytes(statement))],
  }
}

/** A statement that waits for its batch's signature. */
export const unsigned = (statement: Buffer): SignedStatement => ({
  statement,
  keyId: '',
  signature: Buffer.alloc(0),
  treeSize: 0,
  leafIndex: 0,
  path: [],
})

/** Obligations of a stage's ALLOW among verified statements. Their members are the stage's own word, which its key signed. */
export function obligationsOf<Obligations>(statements: readonly DecisionStatement[], stage: StageName): Obligations | undefined {
  return statements.find((statement) => statement.stage === stage && statement.verdict === 'ALLOW')?.obligations as
    | Obligations
    | undefined
}

function principals(
  claimed: Claimed,
  statements: readonly DecisionStatement[],
): Claimed & { readonly definition: string; readonly owner: string } {
  const identity = obligationsOf<IdentityObligations>(statements, 'identity-verify')
  const delegation = obligationsOf<DelegationObligations>(statements, 'delegation-check')
  return {
    human: delegation?.human ?? claimed.human,
    agent: identity?.agent ?? claimed.agent,
    definition: identity?.definitionHash ?? '',
    owner: identity?.owner ?? '',
  }
}

/** packages/contracts/statement.ts. */
const intentIdMax = 64
const detailBytesMax = 16_384

/** Detail is for people; it repeats what an attacker sent, so it is bounded. */
function detailText(detail: Detail): string {
  const text = JSON.stringify(detail)
  return text.length <= detailBytesMax ? text : JSON.stringify({ omitted: `detail of ${text.length} characters` })
}
