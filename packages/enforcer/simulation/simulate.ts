import { parseArgs } from 'node:util'
import { describe, firstViolation, scenarios, seedsFrom } from './runs.ts'

/** Long runs by hand: `npm run simulate -- --seeds 100000`. Ends with 1 at the first run that finds something. */
const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '10000' },
    first: { type: 'string', default: '1' },
    scenario: { type: 'string' },
  },
})
const alone = process.env.INTERLOCK_SIMULATION_SEED
const first = Number(alone ?? values.first)
const count = alone === undefined ? Number(values.seeds) : 1

for (const scenario of values.scenario === undefined ? scenarios.keys() : [values.scenario]) {
  let runs = 0
  let saidAt = Date.now()
  const violation = await firstViolation(scenario, seedsFrom(first, count), undefined, () => {
    runs += 1
    if (Date.now() - saidAt < 1000) return
    saidAt = Date.now()
    process.stderr.write(`${scenario}: ${runs} of ${count} runs\n`)
  })
  if (violation) {
    console.log(describe(violation))
    process.exitCode = 1
  } else console.log(`${scenario}: ${runs} runs, seeds ${first} to ${first + count - 1}: nothing lost, nothing doubled`)
}
