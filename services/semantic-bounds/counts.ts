import type { Decision } from '@interlock/contracts'
import { decisionStatementSchema } from '@interlock/contracts'
import { type DelegationObligations, obligationsOf } from '@interlock/enforcer'
import { parseCanonical } from '@interlock/trust'

/** A task token lives for an hour at most; what was allowed under it need not be known for longer. */
export const horizonMs = 65 * 60_000

/** How many commands were allowed under each token, descendants included. A fold over the own decisions. */
export class Counts {
  readonly #tokens = new Map<string, { readonly count: number; readonly at: number }>()

  of(token: string): number {
    return this.#tokens.get(token)?.count ?? 0
  }

  /** Counts by what is signed: delegation-check named the tokens that the command rests on. */
  add({ verdict, statements, decidedAt }: Decision): void {
    if (verdict !== 'ALLOW') return
    const read = statements.slice(0, 2).map(({ statement }) => {
      const parsed = parseCanonical(statement, { bytesMax: 65_536, depthMax: 12 })
      return parsed.ok ? decisionStatementSchema.safeParse(parsed.value) : undefined
    })
    const signed = read.flatMap((one) => (one?.success ? [one.data] : []))
    for (const token of Object.keys(obligationsOf<DelegationObligations>(signed, 'delegation-check')?.counts ?? {})) {
      const count = this.of(token) + 1
      // Anew at the end, so that entries lie in the order in which they were last used.
      this.#tokens.delete(token)
      this.#tokens.set(token, { count, at: decidedAt })
    }
  }

  forget(now: number): void {
    for (const [token, { at }] of this.#tokens) {
      if (at > now - horizonMs) return
      this.#tokens.delete(token)
    }
  }
}
