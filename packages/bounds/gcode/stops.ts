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
  if (code === 20 || code === 300) machine.hasEnded = true
  else pause(machine, codeName('M', code))
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
