import { randomBytes } from 'node:crypto'
import type { Codec, Decision, DecisionStatement } from '@interlock/contracts'
import {
  type DelegationObligations,
  decideOn,
  draftDecision,
  type Incoming,
  obligationsOf,
  type ReactionContext,
  type StageInput,
  subjectOf,
  type Tables,
  verifyInput,
} from '@interlock/enforcer'
import { sequenceOf } from '@interlock/policy'
import type { ProgramStore } from '@interlock/programs'
import { type TrustAnchors, VerifiedRoots } from '@interlock/trust'
import type { BoundsMemory } from '../memory.ts'
import { semanticBounds } from '../stage.ts'
import type { Recorded } from './recorded.ts'
import { RecordedDecisionPoint } from './recorded-decision-point.ts'
import type { TablesHistory } from './tables-history.ts'

/** Puts another grant in the place of the one that delegation-check found. */
export type GrantChange = (
  command: StageInput['command'],
  grant: DelegationObligations['grant'],
) => DelegationObligations['grant']

export type ReplayParts = {
  readonly codec: Codec
  readonly trust: TrustAnchors
  readonly partitions: number
  /** Where large programs lie; a program that is no longer there is refused now, whatever was said of it then. */
  readonly programs?: ProgramStore
}

/** How long after an entry was appended a stage may still have decided without it. */
const lagMs = 10_000

/**
 * Decides anew what was decided, partition by partition, as the stage did: the same rules on the bytes as they were, the tables of that moment, a
 * memory folded from the decisions before, and the moment of the decision as the time.
 */
export class Redecider {
  readonly #point = new RecordedDecisionPoint()
  #stage: ReturnType<typeof semanticBounds>
  readonly #roots = new VerifiedRoots()
  readonly #parts: ReplayParts
  readonly #history: TablesHistory
  #memory: BoundsMemory
  #partition = -1

  constructor(parts: ReplayParts, history: TablesHistory) {
    this.#parts = parts
    this.#history = history
    this.#stage = semanticBounds(this.#point, parts.programs)
    this.#memory = this.#stage.remember()
  }

  /** The statement that the rules of today make of it, byte for byte what was signed, or not. Undefined where what it was decided on is not kept. */
  async reproduce({
    decision,
    input,
    partition,
  }: Recorded): Promise<{ readonly isSame: boolean; readonly draft: Decision } | undefined> {
    const memory = this.#memoryOf(partition, decision.decidedAt)
    // What receipts gave back between is not read again: what an allowed command says of its budgets is signed.
    memory.standBefore(decision)
    this.#point.recorded = decision
    let first: Decision | undefined
    let same: Decision | undefined
    const guesses = input ? this.#history.around(decision.decidedAt, sequenceOf(decision.policy), lagMs) : []
    for (const tables of guesses) {
      const context = this.#context(decision.decidedAt, tables)
      const draft = await decideOn(this.#stage, memory, input as Incoming<'Decision'>, context, this.#verifier())
      first ??= draft
      if (statementOf(draft)?.equals(statementOf(decision) ?? Buffer.alloc(0))) same = draft
      if (same) break
    }
    this.#stage.fold(memory, decision)
    const draft = same ?? first
    return draft && { isSame: same !== undefined, draft }
  }

  /** What would be decided under other tables and grants. Later decisions rest on it, not on what was decided then. */
  async change({ decision, input, partition }: Recorded, changeGrant: GrantChange): Promise<Decision> {
    const memory = this.#memoryOf(partition, decision.decidedAt)
    this.#point.recorded = decision
    const draft = (input && (await this.#changed(input, decision, memory, changeGrant))) ?? decision
    this.#stage.fold(memory, draft)
    return draft
  }

  async #changed(input: Incoming<'Decision'>, decision: Decision, memory: BoundsMemory, changeGrant: GrantChange) {
    for (const tables of this.#history.around(decision.decidedAt, sequenceOf(decision.policy), 0)) {
      const context = this.#context(decision.decidedAt, tables)
      const verified = verifyInput(input, this.#stage.name, context, this.#verifier())
      // What was wrong with the input is wrong under any policy.
      if (!verified.ok) return undefined
      const asked = {
        ...verified.value,
        statements: verified.value.statements.map((one) => withGrant(one, verified.value, changeGrant)),
      }
      const verdict = await this.#stage.decide(asked, { ...context, trust: this.#parts.trust, memory })
      return draftDecision(
        this.#stage.name,
        input.position,
        subjectOf(asked, input.record.statements),
        verdict,
        decision.decidedAt,
      )
    }
    return undefined
  }

  /** Goes by the recorded decision without deciding: what lies before the time asked for. */
  remember({ decision, partition }: Recorded): void {
    this.#stage.fold(this.#memoryOf(partition, decision.decidedAt), decision)
  }

  #memoryOf(partition: number, now: number): BoundsMemory {
    if (partition !== this.#partition) {
      // Another stage: the newest policy that this one knows lies in the future of what another partition decided first.
      this.#stage = semanticBounds(this.#point, this.#parts.programs)
      this.#memory = this.#stage.remember()
      this.#partition = partition
    }
    this.#stage.forget(this.#memory, now)
    return this.#memory
  }

  #context(now: number, tables: Tables): ReactionContext {
    return { now, tables, random: () => randomBytes(32), partitions: this.#parts.partitions }
  }

  /** A fault in a rule was a denial then, and was told of then. */
  #verifier() {
    const { codec, trust } = this.#parts
    return { codec, trust, roots: this.#roots, alarm: () => {} }
  }
}

function withGrant(statement: DecisionStatement, { command }: StageInput, changeGrant: GrantChange): DecisionStatement {
  const delegation = obligationsOf<DelegationObligations>([statement], 'delegation-check')
  if (!delegation) return statement
  return { ...statement, obligations: { ...delegation, grant: changeGrant(command, delegation.grant) } }
}

const statementOf = ({ statements }: Decision): Buffer | undefined => statements.at(-1)?.statement
