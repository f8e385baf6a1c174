import {
  accepted,
  type Command,
  type CommandDigest,
  type DecisionStatement,
  decisionStatementSchema,
  type Intent,
  type Result,
  refused,
  type SignedStatement,
  type StageName,
  stageNames,
} from '@interlock/contracts'
import { parseCanonical } from './canonical.ts'
import { type CommandReason, readCommand } from './command.ts'
import { digest } from './digest.ts'
import { type StatementReason, type VerifiedRoots, verifySignedStatement } from './statement-batch.ts'
import type { TrustAnchors } from './trust-anchors.ts'

export type ChainReason =
  | CommandReason
  | StatementReason
  | 'missing-statement'
  | 'surplus-statement'
  | 'malformed-statement'
  | 'wrong-stage'
  | 'wrong-key-role'
  | 'key-not-valid'
  | 'revoked-key'
  | 'bad-link'
  | 'other-intent'
  | 'other-command'
  | 'not-allowed'
  | 'expired'
  | 'out-of-order'

export type ChainToVerify = {
  readonly intent: Intent
  readonly intentBytes: Buffer
  readonly statements: readonly SignedStatement[]
  /** The last stage that must have spoken; undefined where none must yet. */
  readonly upTo: StageName | undefined
  readonly anchors: TrustAnchors
  readonly now: number
  /** Whether a key counts for nothing any more. When its holder decided is no argument here: a thief writes any time (ATTACKS 158). */
  readonly isRevokedKey: (keyId: string) => boolean
  readonly cache: VerifiedRoots
}

export type VerifiedChain = {
  readonly command: Command
  readonly commandDigest: CommandDigest
  readonly statements: readonly DecisionStatement[]
  /** Digest of each statement's bytes, same order. */
  readonly digests: readonly string[]
}

/** Every stage up to `upTo` allowed this very intent, each by its own key, each linked to the one before, and none has expired. */
export function verifyDecisionChain(chain: ChainToVerify): Result<VerifiedChain, ChainReason> {
  const read = readCommand(chain.intent)
  if (!read.ok) return read
  const expected = chain.upTo ? stageNames.slice(0, stageNames.indexOf(chain.upTo) + 1) : []
  if (chain.statements.length < expected.length) return refused('missing-statement', { stage: expected[chain.statements.length] })
  if (chain.statements.length > expected.length) return refused('surplus-statement', { count: chain.statements.length })

  const statements: DecisionStatement[] = []
  const digests: string[] = []
  let previous: string = digest(chain.intentBytes)
  let decidedAt = 0
  for (const [at, stage] of expected.entries()) {
    const signed = chain.statements[at] as SignedStatement
    const checked = verifyOne(signed, stage, chain)
    if (!checked.ok) return checked
    const statement = checked.value
    if (statement.previous !== previous) return refused('bad-link', { stage })
    if (statement.intentId !== chain.intent.intentId) return refused('other-intent', { stage })
    if (statement.commandDigest !== read.value.commandDigest) return refused('other-command', { stage })
    if (statement.verdict !== 'ALLOW') return refused('not-allowed', { stage, verdict: statement.verdict })
    if (statement.expiresAt <= chain.now) return refused('expired', { stage, expiresAt: statement.expiresAt })
    // Stages run on machines whose clocks differ a little; half a minute is the skew allowed everywhere.
    if (statement.decidedAt < decidedAt - clockSkewMs) return refused('out-of-order', { stage })
    statements.push(statement)
    previous = digest(signed.statement)
    digests.push(previous)
    decidedAt = statement.decidedAt
  }
  return accepted({ ...read.value, statements, digests })
}

export const clockSkewMs = 30_000

function verifyOne(signed: SignedStatement, stage: StageName, chain: ChainToVerify): Result<DecisionStatement, ChainReason> {
  const parsed = parseCanonical(signed.statement, { bytesMax: 65_536, depthMax: 16 })
  if (!parsed.ok) return refused('malformed-statement', { stage, cause: parsed.reason })
  const statement = decisionStatementSchema.safeParse(parsed.value)
  if (!statement.success) return refused('malformed-statement', { stage, at: statement.error.issues[0]?.path.join('.') ?? '' })
  if (statement.data.stage !== stage) return refused('wrong-stage', { expected: stage, found: statement.data.stage })
  const signer = verifySignedStatement(signed, chain.anchors, chain.cache)
  if (!signer.ok) return refused(signer.reason, { ...signer.detail, stage })
  const { role, notBeforeMs, notAfterMs, keyId } = signer.value
  if (role.kind !== 'enforcer' || role.stage !== stage)
    return refused('wrong-key-role', { stage, spiffeId: signer.value.spiffeId })
  const { decidedAt } = statement.data
  // Valid now as well: whoever finds a key of last year can write last year's time.
  const isValidNow = chain.now <= notAfterMs && decidedAt <= chain.now + clockSkewMs
  if (!isValidNow || decidedAt < notBeforeMs - clockSkewMs || decidedAt > notAfterMs)
    return refused('key-not-valid', { stage, decidedAt })
  if (chain.isRevokedKey(keyId)) return refused('revoked-key', { stage, keyId })
  return accepted(statement.data)
}
