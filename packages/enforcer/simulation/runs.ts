import type { Rule } from './rules.ts'
import { budgetScenario } from './scenarios/budget.ts'
import { dispatchScenario } from './scenarios/dispatch.ts'
import { routerScenario } from './scenarios/router.ts'
import { type ScenarioMaker, simulate } from './world.ts'

export const scenarios: ReadonlyMap<string, ScenarioMaker> = new Map([
  ['budget', budgetScenario],
  ['router', routerScenario],
  ['dispatch', dispatchScenario],
])

export type Violation = { readonly scenario: string; readonly seed: number; readonly found: readonly string[] }

/** Runs seeds of a scenario until one finds something. */
export async function firstViolation(
  scenario: string,
  seeds: Iterable<number>,
  rule?: Rule,
  onRun: () => void = () => {},
): Promise<Violation | undefined> {
  const make = scenarios.get(scenario)
  if (!make) throw new Error(`there is no scenario ${scenario}: ${[...scenarios.keys()].join(', ')}`)
  const mend = rule?.break?.()
  try {
    for (const seed of seeds) {
      const { found } = await simulate(seed, make, rule)
      if (found.length > 0) return { scenario, seed, found }
      onRun()
    }
    return undefined
  } finally {
    mend?.()
  }
}

export function* seedsFrom(first: number, count: number): Iterable<number> {
  for (let seed = first; seed < first + count; seed += 1) yield seed
}

/** What a developer needs to see it again. */
export const describe = ({ scenario, seed, found }: Violation): string =>
  [
    `${scenario}, seed ${seed}:`,
    ...found.slice(0, 10).map((each) => `  ${each}`),
    `Run it alone: INTERLOCK_SIMULATION_SEED=${seed} npm run simulate -- --scenario ${scenario}`,
  ].join('\n')
