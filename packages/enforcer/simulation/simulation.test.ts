import { expect, describe as group, test } from 'vitest'
import { rules } from './rules.ts'
import { describe, firstViolation, scenarios, seedsFrom } from './runs.ts'
import { simulate } from './world.ts'

const seeds = 1500
/** A broken rule is found long before; a whole one would be tried this often. */
const seedsOfRule = 3000
const timeoutMs = 120_000

group('under crashes, cut-off instances, late and doubled writes, rebalances and outages', () => {
  test.each([...scenarios.keys()])(
    `the ${'%s'} service loses nothing, doubles nothing, and decides on what its logs say, in ${seeds} runs`,
    async (scenario) => {
      const violation = await firstViolation(scenario, seedsFrom(1, seeds))
      expect.soft(violation).toBeUndefined()
      if (violation) throw new Error(describe(violation))
    },
    timeoutMs,
  )

  test('the same seed writes the same logs', async () => {
    for (const scenario of scenarios.values()) {
      const one = await simulate(77, scenario)
      const other = await simulate(77, scenario)
      expect(one.log.length).toBeGreaterThan(0)
      expect(other.log).toEqual(one.log)
    }
  })
})

group('the simulation finds it when a rule is switched off', () => {
  test.each(rules.map((rule) => [rule.name, rule] as const))(
    '%s',
    async (_name, rule) => {
      const violation = await firstViolation(rule.seenBy, seedsFrom(1, seedsOfRule), rule)
      expect(violation?.found.length).toBeGreaterThan(0)
    },
    timeoutMs,
  )

  test('and finds nothing when it is on again', async () => {
    for (const scenario of scenarios.keys()) expect(await firstViolation(scenario, seedsFrom(1, 50))).toBeUndefined()
  })
})
