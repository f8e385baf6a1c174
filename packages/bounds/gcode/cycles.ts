import { axisBits, letter, letterOfAxis } from './axes.ts'
import type { Machine } from './machine.ts'
import { axisValue } from './offsets.ts'
import { planeOf } from './planes.ts'
import { refuse } from './refusal.ts'
import { runThreading } from './threading.ts'

const [letterL, letterP, letterQ, letterR] = [letter('L'), letter('P'), letter('Q'), letter('R')] as [
  number,
  number,
  number,
  number,
]
const repeatsMax = 100_000
/** A hole is about as much work as so many plain blocks, and a peck as half of them. */
const stepsPerHole = 12

/** What a cycle keeps from one block to the next while its mode lasts. */
export type CycleMemory = {
  readonly code: number
  /** Words as given, millimetres: relative ones count from each block anew. */
  readonly clearWord: number
  readonly depthWord: number
  readonly peck: number
  readonly dwell: number
  /** Along the drilling axis, the program's coordinates: where the series of cycles began, where it feeds from, where to. */
  readonly initial: number
  readonly clear: number
  readonly bottom: number
}

/** Canned cycles (RS274/NGC §3.5.16): the moves that each is made of. */
export function runCycle(machine: Machine, code: number) {
  if (code === 760) return runThreading(machine)
  const { block, state } = machine
  if (!block.movesAxes) refuse('cycle-malformed', { wanted: 'axes' })
  if (state.modes.compensation !== 400) refuse('compensation-malformed', { in: 'a cycle' })
  const { axes } = planeOf(state.modes)
  // LinuxCNC 2.9 taps along the wrong axis in the other planes: what a control would do there is not known.
  if ((code === 740 || code === 840) && state.modes.plane !== 170) refuse('cycle-malformed', { wanted: 'G17' })
  const others = block.present & axisBits & ~axes.reduce((mask, axis) => mask | (1 << (letterOfAxis[axis] as number)), 0)
  if (others !== 0) refuse('cycle-malformed', { wanted: 'X, Y and Z alone' })
  if (state.modes.distance < 0) refuse('mode-unset', { wanted: 'G90 or G91' })
  if (state.modes.feedMode === 930) refuse('cycle-malformed', { mode: 'G93' })
  const repeats = block.value(letterL) ?? 1
  if (!Number.isInteger(repeats) || repeats < 1 || repeats > repeatsMax) refuse('cycle-malformed', { L: repeats })
  const memory = remember(machine, code, axes[2])
  for (let count = 0; count < repeats; count += 1) {
    machine.sum.step(stepsPerHole)
    drill(machine, memory, axes)
  }
}

/** Words that the block does not give stay those of the block before, while the cycle lasts. */
function remember(machine: Machine, code: number, along: number): CycleMemory {
  const { block, state } = machine
  const here = state.programPosition()[along] as number
  if (Number.isNaN(here)) refuse('position-unknown', { in: 'a cycle' })
  const before = machine.cycle?.code === code ? machine.cycle : undefined
  const isRelative = state.modes.distance === 910
  const r = block.value(letterR)
  const clearWord = r === undefined ? (before?.clearWord ?? refuse('word-missing', { word: 'R' })) : r * state.scale
  const depthWord = axisValue(block, state, along) ?? before?.depthWord ?? refuse('word-missing', { word: 'depth' })
  const clear = clearWord + (isRelative ? here : 0)
  const peck = block.value(letterQ)
  const memory: CycleMemory = {
    code,
    clearWord,
    depthWord,
    peck: peck === undefined ? (before?.peck ?? 0) : peck * state.scale,
    dwell: block.value(letterP) ?? before?.dwell ?? 0,
    initial: machine.cycle?.initial ?? here,
    clear,
    bottom: depthWord + (isRelative ? clear : 0),
  }
  if (memory.bottom > memory.clear) refuse('cycle-malformed', { wanted: 'R above the bottom' })
  if ((code === 730 || code === 830) && !(memory.peck > 0)) refuse('word-missing', { word: 'Q' })
  machine.cycle = memory
  return memory
}

function drill(machine: Machine, memory: CycleMemory, [first, second, along]: readonly [number, number, number]): void {
  const { state, motion, block } = machine
  const go = (isRapid: boolean, places: readonly (readonly [number, number])[]) => {
    const program = state.programPosition()
    let axes = 0
    for (const [axis, value] of places) {
      program[axis] = value
      axes |= 1 << axis
    }
    motion.target.aimProgram(program, axes)
    motion.straight(isRapid)
  }
  const before = state.programPosition()
  if ((before[along] as number) < memory.clear) go(true, [[along, memory.clear]])
  const isRelative = state.modes.distance === 910
  const across = [first, second].flatMap((axis): [number, number][] => {
    const value = axisValue(block, state, axis)
    return value === undefined ? [] : [[axis, isRelative ? (before[axis] as number) + value : value]]
  })
  if (across.length > 0) go(true, across)
  go(true, [[along, memory.clear]])
  peck(machine, memory, along, go)
  if (hasDwell.has(memory.code)) motion.dwell(memory.dwell)
  // Bored and tapped holes are left at the feed, the others at a rapid.
  if (leavesAtFeed.has(memory.code)) go(false, [[along, memory.clear]])
  const isBackToInitial = state.modes.retract === 980 && memory.initial > memory.clear
  if (state.modes.retract < 0) refuse('mode-unset', { wanted: 'G98 or G99' })
  go(true, [[along, isBackToInitial ? memory.initial : memory.clear]])
}

type Go = (isRapid: boolean, places: readonly (readonly [number, number])[]) => void

/** Down to the bottom, at once or by pecks. The way back up is in the same line: G73 a quarter of a millimetre, G83 to the top. */
function peck({ sum, state }: Machine, memory: CycleMemory, along: number, go: Go): void {
  const { code, clear, bottom } = memory
  if (code !== 730 && code !== 830) {
    go(false, [[along, bottom]])
    return
  }
  const back = state.modes.units === 200 ? 0.254 : 0.25
  for (let at = clear - memory.peck; at > bottom; at -= memory.peck) {
    sum.step(stepsPerHole / 2)
    go(false, [[along, at]])
    // Down again to where it was at a rapid: a feed is slower, so that time is not less.
    go(true, [[along, code === 830 ? clear : at + back]])
    go(false, [[along, at]])
  }
  go(false, [[along, bottom]])
}

const hasDwell = new Set([820, 730, 830, 860, 890, 840, 740])
const leavesAtFeed = new Set([840, 740, 850, 890])
