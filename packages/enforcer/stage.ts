import type {
  Approval,
  Command,
  ControlTable,
  Decision,
  DecisionStatement,
  Detail,
  EventPosition,
  Intent,
  SpiffeId,
  StageName,
} from '@interlock/contracts'
import type { TrustAnchors } from '@interlock/trust'
import type { Incoming, Tables } from './processor.ts'

/** What a stage decides on: the intent as submitted and the verified statements of the stages before it. */
export type StageInput = {
  readonly intent: Intent
  /** The Intent record's bytes exactly as submitted; the first statement's `previous` is their digest. */
  readonly intentBytes: Buffer
  /** Parsed from `intent.command`, which was canonical. */
  readonly command: Command
  readonly statements: readonly DecisionStatement[]
  /** base64url digests of the statements' bytes, same order. */
  readonly statementDigests: readonly string[]
  /** Approval records (decoded and as bytes) that approval-router's ALLOW rests on; empty before it. */
  readonly approvals: readonly { readonly approval: Approval; readonly bytes: Buffer }[]
  /** Where the input lay. */
  readonly position: EventPosition
  readonly key: string
}

export type StageContext<Memory> = {
  readonly now: number
  readonly tables: Tables
  readonly trust: TrustAnchors
  readonly memory: Memory
  readonly random: () => Buffer
  readonly partitions: number
}

export type Risk = 'low' | 'medium' | 'high'

/** What a stage's `decide` returns. Reason codes are the stage's own union. */
export type Verdict<Reason extends string> =
  | {
      readonly verdict: 'ALLOW'
      readonly obligations: Record<string, unknown>
      readonly expiresAt: number
      readonly risk?: Risk
      readonly policy?: string
      readonly detail?: Detail
    }
  | {
      readonly verdict: 'ESCALATE'
      readonly reasons: readonly Reason[]
      readonly obligations: Record<string, unknown>
      readonly expiresAt: number
      readonly risk?: Risk
      readonly policy?: string
      readonly detail?: Detail
    }
  | {
      readonly verdict: 'DENY'
      readonly reasons: readonly Reason[]
      readonly detail: Detail
      readonly risk?: Risk
      readonly policy?: string
    }

export const deny = <Reason extends string>(reason: Reason, detail: Detail = {}): Verdict<Reason> => ({
  verdict: 'DENY',
  reasons: [reason],
  detail,
})

/** Obligations of the ALLOWs, by stage: what a later stage may rely on because it is signed. */
export type IdentityObligations = {
  readonly agent: SpiffeId
  readonly definition: string
  readonly definitionHash: string
  /** The human who answers for the definition. */
  readonly owner: string
  readonly assurance: 'software' | 'tpm' | 'tee'
  /** x5t#S256 of the certificate that signed the proof. */
  readonly certificate: string
}
export type DelegationObligations = {
  readonly human: string
  /** SPIFFE IDs, the root token's actor first. */
  readonly actors: readonly string[]
  /** `<iss> <jti>` of each token, root first. */
  readonly tokens: readonly string[]
  /** The leaf token's grant that covers the command. */
  readonly grant: { readonly limits: Record<string, { min?: string; max?: string; unit: string }>; readonly maxCount: number }
  /** The smallest `maxCount` by token, checked by semantic-bounds over the whole tree: `<iss> <jti>` → count. */
  readonly counts: Record<string, number>
}
export type BoundsObligations = {
  readonly risk: Risk
  /** Each quantity in the device profile's unit, exact decimal text. */
  readonly quantities: Record<string, { value: string; unit: string }>
}
export type ApprovalObligations = {
  /** Digests of the Approval records' bytes, in the order of Decision.approvals; empty where none was needed. */
  readonly approvals: readonly string[]
  readonly required: number
}

/** The declaration of an enforcer. `decide` is pure; the runner does the rest. */
export interface Stage<Memory, Reason extends string> {
  readonly name: StageName
  readonly input: string
  readonly output: string
  readonly tables: readonly ControlTable[]
  /** How far back memory reaches, milliseconds. */
  readonly horizonMs: number
  /** Co-partitioned topics besides the own output that memory needs (`receipts` settle budgets). */
  readonly memories?: readonly string[]
  remember(): Memory
  /**
   * Folds an own decision into memory; its statement is genuine. Called for what the log holds on a restart, and for each new decision
   * before it is signed. Trust `statements`, not the flat fields.
   */
  fold(memory: Memory, decision: Decision): void
  /** Folds a genuine record of `memories`. */
  recall?(memory: Memory, incoming: Incoming): void
  forget(memory: Memory, now: number): void
  decide(input: StageInput, context: StageContext<Memory>): Verdict<Reason> | Promise<Verdict<Reason>>
}
