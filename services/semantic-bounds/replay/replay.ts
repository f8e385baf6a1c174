import type { Decision } from '@interlock/contracts'
import { type Difference, Differences, type Divergence, divergence } from './findings.ts'
import type { Recorded } from './recorded.ts'
import type { GrantChange, Redecider } from './redecide.ts'
import { type BroadScope, Usage } from './usage.ts'

export type Verified = {
  readonly decisions: number
  readonly reproduced: number
  readonly diverged: readonly Divergence[]
  /** Decisions whose input audit does not have: nothing can be said of them. */
  readonly inputsMissing: number
}

export type Changed = {
  readonly decisions: number
  readonly differences: readonly Difference[]
  readonly broadScopes: readonly BroadScope[]
}

type Asked = {
  readonly recorded: AsyncIterable<Recorded>
  readonly redecider: Redecider
  /** Decisions before it are remembered only: counts reach back beyond it. Milliseconds since 1970. */
  readonly since: number
  readonly progress: (done: number) => void
}

const divergedMax = 1000

/** Decides again what was decided, and compares each statement byte by byte. */
export async function verifyReplay({ recorded, redecider, since, progress }: Asked): Promise<Verified> {
  const diverged: Divergence[] = []
  const count = { decisions: 0, reproduced: 0, inputsMissing: 0 }
  for await (const one of recorded) {
    if (isBefore(one, since)) {
      redecider.remember(one)
      continue
    }
    count.decisions += 1
    const again = await redecider.reproduce(one)
    if (!again) count.inputsMissing += 1
    else if (again.isSame) count.reproduced += 1
    else if (diverged.length < divergedMax) diverged.push(divergence(one.at, one.decision, again.draft))
    progress(count.decisions)
  }
  return { ...count, diverged }
}

/** Decides what was decided under other tables and grants, and says what would be another decision. */
export async function changeReplay({ recorded, redecider, since, progress }: Asked, changeGrant: GrantChange): Promise<Changed> {
  const differences = new Differences()
  const usage = new Usage()
  let decisions = 0
  for await (const one of recorded) {
    if (isBefore(one, since)) {
      redecider.remember(one)
      continue
    }
    decisions += 1
    const changed = await redecider.change(one, changeGrant)
    differences.add(one.decision, changed, one.outcome)
    usage.add(one.decision)
    progress(decisions)
  }
  return { decisions, differences: differences.all(), broadScopes: usage.broad() }
}

const isBefore = ({ decision }: { readonly decision: Decision }, since: number) => decision.decidedAt < since
