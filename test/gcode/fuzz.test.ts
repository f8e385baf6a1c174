import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { vectorsFolder } from '../conformance/suite.ts'
import { checkBounded } from './check-bounded.ts'
import { fuzzMachines } from './fuzz-machines.ts'
import { linuxcncPrograms } from './linuxcnc-machine.ts'
import { meaningful, mutated } from './random-programs.ts'

const found = linuxcncPrograms(vectorsFolder([]))
const programs = (found?.files ?? [])
  .map((name) => readFileSync(join(found?.folder ?? '', name), 'latin1'))
  .filter((text) => text.length < 3_000)

describe('attack 68: whatever the program, the interpreter ends, and no point of the path lies outside of the envelope', () => {
  it.each(fuzzMachines.map((setup) => [setup.dialect, setup] as const))('programs that mean something, %s', (dialect, setup) => {
    let bounded = 0
    fc.assert(
      fc.property(meaningful[dialect], (program) => {
        if (checkBounded(program, setup)) bounded += 1
      }),
      { numRuns: 300 },
    )
    expect(bounded).toBeGreaterThan(10)
  })

  it.each(
    fuzzMachines.map((setup) => [setup.dialect, setup] as const),
  )('programs with pieces taken out and put in, %s', (_dialect, setup) => {
    fc.assert(
      fc.property(mutated(programs), (program) => void checkBounded(program, setup)),
      { numRuns: 300 },
    )
  })

  it('bytes that are no program', () => {
    const bytes = fc.uint8Array({ maxLength: 400 }).map((list) => Buffer.from(list).toString('latin1'))
    fc.assert(
      fc.property(bytes, fc.constantFrom(...fuzzMachines), (program, setup) => void checkBounded(program, setup)),
      { numRuns: 300 },
    )
  })
})
