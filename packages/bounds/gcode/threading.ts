import { letter, X, Z } from './axes.ts'
import type { Machine } from './machine.ts'
import { axisValue } from './offsets.ts'
import { refuse } from './refusal.ts'

const passesMax = 100_000

/**
 * G76, threading in many passes (LinuxCNC manual): all of them lie in the box between the drive line, where X stands, the offset I of the thread's peak
 * and its full depth K, from where Z stands to Z. Its corners are run, and its time is that of as many passes as there can be.
 */
export function runThreading(machine: Machine): void {
  const { block, state, motion, sum } = machine
  const { modes, scale } = state
  if (modes.plane !== 180) refuse('mode-unset', { wanted: 'G18', code: 'G76' })
  const here = state.programPosition()
  const [x, z] = [here[X] as number, here[Z] as number]
  if (Number.isNaN(x + z)) refuse('position-unknown', { code: 'G76' })
  const end = axisValue(block, state, Z) ?? refuse('word-missing', { word: 'Z' })
  const [pitch, peak, first, depth] = ['P', 'I', 'J', 'K'].map((name) => block.wanted(letter(name)) * scale) as [
    number,
    number,
    number,
    number,
  ]
  const degression = block.value(letter('R')) ?? 1
  const springs = block.value(letter('H')) ?? 0
  if (!(pitch > 0 && first > 0 && depth > 0 && degression >= 1 && springs >= 0)) refuse('cycle-malformed', { code: 'G76' })
  // The n-th pass is J·n^(1/R) deep.
  const passes = Math.ceil((depth / first) ** degression) + springs + 1
  if (!(passes <= passesMax)) refuse('cycle-malformed', { passes, max: passesMax })
  sum.step(passes * 12)
  const deepest = x + peak + Math.sign(peak || 1) * depth
  const feed = pitch * motion.cost.spindleTurns()
  state.modes = { ...modes, feedMode: 940, feedLow: feed, feedHigh: feed }
  const go = (toX: number, toZ: number, isRapid: boolean) => {
    const program = state.programPosition()
    program[X] = toX
    program[Z] = toZ
    motion.target.aimProgram(program, (1 << X) | (1 << Z))
    motion.straight(isRapid)
  }
  // Slanted infeed (Q) moves the start by at most a depth along Z, tapers (E) end within it.
  const start = z + Math.sign(z - end || 1) * depth
  for (let pass = 0; pass < passes; pass += 1) {
    go(deepest, start, false)
    go(deepest, end, false)
    go(x, end, false)
    go(x, start, true)
    go(x, z, true)
  }
  state.modes = modes
}
