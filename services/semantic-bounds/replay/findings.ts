import type { Decision, DecisionStatement } from '@interlock/contracts'

/** Recorded decisions that would come out otherwise, alike in what they were and what they would be. */
export type Difference = {
  readonly from: string
  readonly to: string
  readonly device: string
  readonly capability: string
  readonly count: number
  /** What became of them, by outcome status; '' for none yet. */
  readonly outcomes: Readonly<Record<string, number>>
  /** One of them, to look at with `interlock trace`. */
  readonly example: string
}

/** Counts what would change, and groups it. */
export class Differences {
  readonly #groups = new Map<
    string,
    { difference: Omit<Difference, 'count' | 'outcomes'>; count: number; outcomes: Record<string, number> }
  >()

  add(recorded: Decision, changed: Decision, outcome: string): void {
    const [from, to] = [wordsOf(recorded), wordsOf(changed)]
    if (from === to) return
    const { device, capability, intentId: example } = recorded
    const name = JSON.stringify([from, to, device, capability])
    const group = this.#groups.get(name) ?? { difference: { from, to, device, capability, example }, count: 0, outcomes: {} }
    group.count += 1
    group.outcomes[outcome] = (group.outcomes[outcome] ?? 0) + 1
    this.#groups.set(name, group)
  }

  /** Most frequent first. */
  all(): Difference[] {
    const found = [...this.#groups.values()].map(({ difference, count, outcomes }) => ({ ...difference, count, outcomes }))
    return found.toSorted((one, other) => other.count - one.count)
  }
}

/** What a human would call the same: the verdict, why, and how risky. By what is signed, or would be. */
function wordsOf(decision: Decision): string {
  const { verdict, reasons, obligations } = JSON.parse(
    decision.statements.at(-1)?.statement.toString('utf8') ?? '{}',
  ) as DecisionStatement
  return verdict === 'ALLOW' ? `ALLOW ${String(obligations.risk)}` : `${verdict} ${reasons.join(', ')}`
}

/** A recorded decision that does not come out the same, and where it parts. */
export type Divergence = { readonly at: string; readonly intentId: string; readonly members: readonly string[] }

/** Which members of the statement differ. */
export function divergence(at: string, recorded: Decision, draft: Decision): Divergence {
  const [one, other] = [recorded, draft].map(({ statements }) =>
    JSON.parse(statements.at(-1)?.statement.toString('utf8') ?? '{}'),
  )
  const members = Object.keys({ ...one, ...other }).filter((name) => JSON.stringify(one[name]) !== JSON.stringify(other[name]))
  return { at, intentId: recorded.intentId, members }
}
