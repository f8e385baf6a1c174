import { type Decision, decisionStatementSchema } from '@interlock/contracts'
import { sequenceOf } from '@interlock/policy'
import { parseCanonical } from '@interlock/trust'

/**
 * The newest policy that was decided under: a fold over the own decisions, never forgotten. control.policies alone does not hold the order: who can
 * write there can write an older entry anew, and once compaction has removed the newer one, a service that starts finds only the older
 * (ATTACKS 78). Own decisions are signed, and memory reaches back at least to the last one of a partition.
 */
export class NewestPolicy {
  #sequence = 0

  get sequence(): number {
    return this.#sequence
  }

  /** By what is signed: the flat fields are anybody's word. */
  add({ statements }: Pick<Decision, 'statements'>): void {
    const own = statements.at(-1)
    const parsed = own && parseCanonical(own.statement, { bytesMax: 65_536, depthMax: 12 })
    const statement = parsed?.ok ? decisionStatementSchema.safeParse(parsed.value) : undefined
    if (statement?.success) this.#sequence = Math.max(this.#sequence, sequenceOf(statement.data.policy) ?? 0)
  }
}
