import type {
  Approval,
  BudgetLimits,
  Command,
  ControlTable,
  Decision,
  DecisionStatement,
  Detail,
  EventPosition,
  Intent,
  Quantity,
  SpiffeId,
  StageName,
  Window,
} from '@interlock/contracts'
import type { TrustAnchors } from '@interlock/trust'
import type { Incoming, Tables } from './processor.ts'
import type { Verifier } from './stage-input.ts'

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
  /** `consentId` of what the human signed: a standing grant's id. Absent where the root token bears none. */
  readonly consent?: string
  /** The leaf token's grant that covers the command. */
  readonly grant: {
    readonly limits: Record<string, { min?: string; max?: string; unit: string }>
    readonly windows?: readonly Window[]
  }
  /** Who holds the budgets that the command is charged to: the human's consent first, the acting agent's grant last. */
  readonly budgets: readonly HeldBudget[]
  /** When the human consented, milliseconds since 1970: no budget of the job was touched before. */
  readonly since: number
}
export type HeldBudget = {
  /** base64url SHA-256 over whom it was granted to, what, and by whose grant: a renewed token holds the same budget. */
  readonly holder: string
  /** The human, then SPIFFE IDs. */
  readonly of: string
  readonly maxCount: number
  readonly limits: BudgetLimits
}
export type BoundsObligations = {
  readonly risk: Risk
  /** Each quantity in the device profile's unit, exact decimal text. */
  readonly quantities: Record<string, { value: string; unit: string }>
  /** What it is about, for a memory that reads no intents. */
  readonly about: { readonly job: string; readonly device: string; readonly capability: string }
  /** What is reserved of each budget: the most that it uses, in base units, and where the device says in its ack what it did use. */
  readonly uses: Readonly<Record<string, Quantity & { readonly reported?: { readonly member: string; readonly unit: string } }>>
  /** By holder, what is spent of each budget with this command: a memory that does not reach further back begins there. */
  readonly spent: Readonly<Record<string, Readonly<Record<string, Quantity>>>>
  /** For how long the device's rates have it remembered, milliseconds; 0 where it has none. */
  readonly pacedMs: number
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
  /** Folds a genuine record of `memories`; the verifier reads what else it carries. */
  recall?(memory: Memory, incoming: Incoming, verifier: Verifier): void
  forget(memory: Memory, now: number): void
  decide(input: StageInput, context: StageContext<Memory>): Verdict<Reason> | Promise<Verdict<Reason>>
}
