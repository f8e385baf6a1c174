import { convert } from '@interlock/bounds'
import type { Decision, DecisionStatement, Range } from '@interlock/contracts'
import { type BoundsObligations, type DelegationObligations, obligationsOf } from '@interlock/enforcer'

/** A limit that a grant gives, and what was asked of it. */
export type BroadScope = {
  readonly human: string
  readonly agent: string
  readonly device: string
  readonly capability: string
  readonly parameter: string
  readonly granted: string
  readonly mostUsed: string
  readonly unit: string
  /** Largest value that was allowed, of the granted one. */
  readonly share: number
  readonly commands: number
}

type Use = Omit<BroadScope, 'mostUsed' | 'share' | 'commands'> & { readonly most: number; readonly commands: number }

/** Below this share of what is granted, a scope is called too broad; and it takes some commands to say so. */
const shareMax = 0.5
const commandsMin = 5

/** How far grants were used: what is granted and never approached could be granted less. */
export class Usage {
  readonly #uses = new Map<string, Use>()

  /** By the signed statements of an allowed command; anything else says nothing of what is needed. */
  add(decision: Decision): void {
    const statements = decision.statements.map(({ statement }) => JSON.parse(statement.toString('utf8')) as DecisionStatement)
    const bounds = obligationsOf<BoundsObligations>(statements, 'semantic-bounds')
    const delegation = obligationsOf<DelegationObligations>(statements, 'delegation-check')
    if (!bounds || !delegation) return
    for (const [parameter, { value, unit }] of Object.entries(bounds.quantities)) {
      const limit = Object.hasOwn(delegation.grant.limits, parameter) ? delegation.grant.limits[parameter] : undefined
      const granted = limit && maximumIn(limit, unit)
      if (granted === undefined) continue
      const { human } = delegation
      const { agent, device, capability } = decision
      const name = JSON.stringify([human, agent, device, capability, parameter, granted])
      const before = this.#uses.get(name)
      this.#uses.set(name, {
        ...{ human, agent, device, capability, parameter, granted, unit },
        most: Math.max(before?.most ?? 0, Number(value)),
        commands: (before?.commands ?? 0) + 1,
      })
    }
  }

  /** Least used first. */
  broad(): BroadScope[] {
    return [...this.#uses.values()]
      .map(({ most, ...use }) => ({ ...use, mostUsed: String(most), share: most / Number(use.granted) }))
      .filter(({ share, commands }) => share < shareMax && commands >= commandsMin)
      .toSorted((one, other) => one.share - other.share)
  }
}

function maximumIn({ max, unit: from }: Range, unit: string): string | undefined {
  const converted = max === undefined ? undefined : convert({ value: max, unit: from }, unit)
  return converted?.ok && Number(converted.value.value) > 0 ? converted.value.value : undefined
}
