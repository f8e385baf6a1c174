/** `npm run gcode-fuzz [-- --runs N --seed S]`: the properties of fuzz.test.ts, for as long as one likes. A failure prints its seed and the smallest program. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import fc from 'fast-check'
import { vectorsFolder } from '../conformance/suite.ts'
import { checkBounded } from './check-bounded.ts'
import { fuzzMachines } from './fuzz-machines.ts'
import { linuxcncPrograms } from './linuxcnc-machine.ts'
import { meaningful, mutated } from './random-programs.ts'

const { values } = parseArgs({
  options: { runs: { type: 'string', default: '20000' }, seed: { type: 'string' }, vectors: { type: 'string' } },
})
const seed = Number(values.seed ?? Date.now() % 2 ** 31)
const found = linuxcncPrograms(values.vectors ?? vectorsFolder([]))
const programs = (found?.files ?? []).map((name) => readFileSync(join(found?.folder ?? '', name), 'latin1'))

for (const setup of fuzzMachines) {
  for (const [name, arbitrary] of [
    ['meaningful', meaningful[setup.dialect]],
    ['mutated', mutated(programs)],
  ] as const) {
    let bounded = 0
    fc.assert(
      fc.property(arbitrary, (program) => {
        if (checkBounded(program, setup)) bounded += 1
      }),
      { numRuns: Number(values.runs), seed },
    )
    console.log(`${name}, ${setup.dialect}: ${values.runs} programs, ${bounded} bounded and sampled, seed ${seed}`)
  }
}
