import { letter } from './axes.ts'
import { groups } from './codes.ts'
import type { Codes } from './execute.ts'
import type { Machine } from './machine.ts'
import { refuse } from './refusal.ts'

const [letterF, letterS, letterD] = [letter('F'), letter('S'), letter('D')] as [number, number, number]
const millimetres = { 200: 25.4, 210: 1 } as Readonly<Record<number, number>>

/** Feed, feed mode, spindle speed, spindle: in the order of RS274/NGC table 8. */
export function setFeedAndSpindle(machine: Machine, codes: Codes, hasCodes: boolean): void {
  const { block, state } = machine
  const { modes } = state
  if (hasCodes) {
    const mode = codes[groups.feedMode] as number
    // The number that stood for another kind of feed is none of this kind.
    if (mode >= 0 && mode !== modes.feedMode) [modes.feedLow, modes.feedHigh] = [0, 0]
    if (mode >= 0) modes.feedMode = mode
  }
  if (block.has(letterF)) setFeed(machine, hasCodes ? (codes[groups.units] as number) : -1)
  if (block.has(letterS)) {
    const speed = block.values[letterS] as number
    if (speed < 0) refuse('spindle-unset', { speed })
    modes.spindle = speed
  }
  if (hasCodes) setSpindle(machine, codes)
  if (modes.spindleState !== 50 && (hasCodes || block.has(letterS))) countSpindle(machine)
}

/** Controllers differ in whether F of a block that changes units is of the units before or after: it is then either. */
function setFeed({ block, state }: Machine, units: number): void {
  const { modes } = state
  const feed = block.values[letterF] as number
  if (!(feed > 0)) refuse('feed-unset', { feed })
  if (modes.feedMode === 930) {
    modes.feedLow = feed
    modes.feedHigh = feed
    return
  }
  const scales = [units, modes.units].flatMap((code) => millimetres[code] ?? [])
  if (scales.length === 0) refuse('mode-unset', { wanted: 'G20 or G21' })
  modes.feedLow = feed * Math.min(...scales)
  modes.feedHigh = feed * Math.max(...scales)
}

function setSpindle({ block, state, setup }: Machine, codes: Codes): void {
  const { modes } = state
  const mode = codes[groups.spindleMode] as number
  if (mode >= 0) modes.spindleMode = mode
  if (mode === 960) {
    // Without a limit the spindle goes as fast as it can where X is near 0.
    modes.spindleLimit =
      block.value(letterD) ?? setup.spindleMaxPerMin ?? refuse('spindle-unbounded', { code: 'G96', wanted: 'D' })
  }
  const spindle = codes[groups.spindle] as number
  if (spindle >= 0) modes.spindleState = spindle
}

function countSpindle({ state, sum, motion, setup }: Machine): void {
  const { modes } = state
  if (Number.isNaN(modes.spindle)) refuse('spindle-unset', { wanted: 'S' })
  if (setup.laser) sum.powerMaxW = Math.max(sum.powerMaxW, motion.cost.laserPowerW())
  else sum.spindleMax = Math.max(sum.spindleMax, modes.spindleMode === 960 ? modes.spindleLimit : modes.spindle)
}
