import {
  type Approval,
  accepted,
  type Codec,
  type DecodeReason,
  parseEventId,
  type Result,
  refused,
  type StageName,
  stageNames,
} from '@interlock/contracts'
import {
  type ChainReason,
  type CommandReason,
  readCommand,
  type TrustAnchors,
  type VerifiedRoots,
  verifyDecisionChain,
} from '@interlock/trust'
import { signedEventId } from './genuine.ts'
import type { Incoming, ReactionContext, Tables } from './processor.ts'
import type { StageInput } from './stage.ts'

/** What every stage needs to check what lies before it. */
export type Verifier = { readonly codec: Codec; readonly trust: TrustAnchors; readonly roots: VerifiedRoots }

/** Why an input could not be decided on. `chain-…` and the rest of a later stage speak of what the stages before it wrote. */
export type InputReason =
  | CommandReason
  | `intent-${DecodeReason}`
  | `approval-${DecodeReason}`
  | `chain-${ChainReason}`
  | 'chain-other-event'

/** An Intent as submitted, for identity-verify: nothing was decided yet, so there is nothing to verify but that it can be read. */
export function verifyIntent(incoming: Incoming<'Intent'>): Result<StageInput, InputReason> {
  const read = readCommand(incoming.record)
  if (!read.ok) return read
  return accepted({
    intent: incoming.record,
    intentBytes: incoming.bytes,
    command: read.value.command,
    statements: [],
    statementDigests: [],
    approvals: [],
    position: incoming.position,
    key: incoming.key,
  })
}

/**
 * A Decision of the stage before, for every later stage: the intent is decoded from the bytes as submitted and each statement
 * before this stage is verified anew. The record's flat fields are the writer's word and count for nothing here.
 */
export function verifyInput(
  incoming: Incoming<'Decision'>,
  stage: StageName,
  { now, tables }: Pick<ReactionContext, 'now' | 'tables'>,
  { codec, trust, roots }: Verifier,
): Result<StageInput, InputReason> {
  const decision = incoming.record
  const intent = codec.decode('intents', decision.intent, 'Intent')
  if (!intent.ok) return refused(`intent-${intent.reason}`, intent.detail)
  const chain = verifyDecisionChain({
    intentBytes: decision.intent,
    intent: intent.value,
    statements: decision.statements,
    upTo: stageBefore(stage),
    anchors: trust,
    now,
    isRevokedKey: revokedKeys(tables, now),
    cache: roots,
  })
  if (!chain.ok) return refused(`chain-${chain.reason}`, chain.detail)
  const event = parseEventId(signedEventId(decision) ?? '')
  // The stages before decided in the same partition: a genuine record copied into another one would be played there again.
  if (event?.partition !== incoming.position.partition) return refused('chain-other-event', { eventId: decision.eventId })
  const approvals: { approval: Approval; bytes: Buffer }[] = []
  for (const bytes of decision.approvals) {
    const approval = codec.decode('approvals', bytes, 'Approval')
    if (!approval.ok) return refused(`approval-${approval.reason}`, approval.detail)
    approvals.push({ approval: approval.value, bytes })
  }
  return accepted({
    intent: intent.value,
    intentBytes: decision.intent,
    command: chain.value.command,
    statements: chain.value.statements,
    statementDigests: chain.value.digests,
    approvals,
    position: incoming.position,
    key: incoming.key,
  })
}

/** The stage whose ALLOW a stage reads. @throws Error for the first stage, which reads intents. */
export function stageBefore(stage: StageName): StageName {
  const before = stageNames[stageNames.indexOf(stage) - 1]
  if (before === undefined) throw new Error(`${stage} reads intents: no stage is before it`)
  return before
}

/**
 * A revoked key of an enforcer counts for nothing from then on, also for what claims to be older: a thief writes any time. What is
 * under way when a key is revoked is refused; what ended before is proved by its time in the log (ATTACKS 158).
 */
export function revokedKeys(tables: Tables, now: number): (keyId: string) => boolean {
  return (keyId) => {
    const entry = tables['control.revocations'].get(`enforcer-key:${keyId}`)
    return entry !== undefined && entry.from <= now
  }
}
