import { letter } from './axes.ts'
import { codeName } from './block.ts'
import { groups } from './codes.ts'
import type { Codes } from './execute.ts'
import type { Machine } from './machine.ts'
import { refuse } from './refusal.ts'

/** Stops and ends, after all else in their block (RS274/NGC table 8). */
export function stopOrEnd(machine: Machine, codes: Codes): void {
  runSubprogram(machine, codes)
  const code = codes[groups.stop] as number
  if (code < 0) return
  if (code === 20 || code === 300) end(machine)
  else pause(machine, codeName('M', code))
}

/** GRBL is fed line by line, and runs what follows: there an end only sets modes back (GRBL 1.1, gcode.c, M2 and M30). */
function end(machine: Machine): void {
  const { state } = machine
  if (machine.dialect.endsExplicitly) machine.hasEnded = true
  else {
    Object.assign(state.modes, { motion: 10, plane: 170, distance: 900, feedMode: 940, spindleState: 50 })
    state.selectWorkOffset(1)
  }
}

/** A stop lasts until somebody goes on: a beam must not be on meanwhile. */
export function pause({ motion, state, sum }: Machine, during: string): void {
  sum.waits += 1
  if (state.modes.spindleState !== 50 && motion.cost.laserPowerW() > 0) refuse('laser-left-on', { during })
}

/** M98 and M99, after all else in their block. */
function runSubprogram({ block, flow }: Machine, codes: Codes): void {
  const code = codes[groups.subprogram] as number
  if (code === 980) flow.callNumbered(block.wanted(letter('P')), block.value(letter('L')) ?? 1)
  else if (code === 990) {
    if (block.has(letter('P'))) refuse('word-out-of-place', { word: 'P', code: 'M99' })
    flow.returnNumbered()
  }
}
