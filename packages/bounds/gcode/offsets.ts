import { type AxisNumbers, axisArray, axisBits, axisCount, axisNames, E, isRotary, letter, letterOfAxis, X } from './axes.ts'
import { type Block, codeName } from './block.ts'
import type { Machine } from './machine.ts'
import { refuse } from './refusal.ts'
import type { State } from './state.ts'

const [letterL, letterP, letterR] = [letter('L'), letter('P'), letter('R')] as [number, number, number]

/** Codes that change what coordinates mean, or go to a place of the machine's: G10, G28, G30, G52, G92 and its like. */
export function runOffset(machine: Machine, code: number) {
  switch (code) {
    case 100:
      return setData(machine)
    case 280:
      return goToReference(machine, machine.setup.home, code)
    case 300:
      return goToReference(machine, machine.setup.secondHome, code)
    case 520:
    case 920:
      return shift(machine, code === 920)
    case 921:
    case 922:
      machine.state.shift.fill(0)
      if (code === 921) machine.state.savedShift.fill(0)
      return machine.state.offsetsChanged()
    default:
      machine.state.shift.set(machine.state.savedShift)
      machine.state.offsetsChanged()
  }
}

/** The value of an axis word, millimetres or degrees; undefined where the block has none. */
export function axisValue(block: Block, state: State, axis: number): number | undefined {
  const value = block.value(letterOfAxis[axis] as number)
  if (value === undefined) return undefined
  if (!isRotary(axis) && state.modes.units < 0) refuse('mode-unset', { wanted: 'G20 or G21' })
  return value * (isRotary(axis) ? 1 : state.scale) * (axis === X && state.modes.lathe === 70 ? 0.5 : 1)
}

/** G92: here is now so much. G52: the origin is so far from here on. */
function shift({ block, state, dialect }: Machine, isHere: boolean): void {
  if (!block.movesAxes) refuse('word-missing', { code: isHere ? 'G92' : 'G52', wanted: 'axes' })
  const here = state.unshifted()
  for (let axis = 0; axis < axisCount; axis += 1) {
    const value = axisValue(block, state, axis)
    if (value === undefined) continue
    state.shift[axis] = isHere ? (here[axis] as number) - value : value
    if (isHere && Number.isNaN(state.shift[axis] as number)) {
      const what = Number.isNaN(state.position[axis] as number) ? 'position-unknown' : 'offset-unknown'
      refuse(what, { axis: axisNames[axis], code: 'G92' })
    }
    if (isHere) loosen(state, axis, dialect.reading.roundoff)
    state.savedShift[axis] = state.shift[axis] as number
  }
  state.offsetsChanged()
}

/** An offset that was set from a position is as far off as the position was. */
function loosen(state: State, axis: number, roundoff: number): void {
  const magnitude = Math.abs(state.position[axis] as number) + (state.offsetMagnitude[axis] as number)
  state.offsetSlack[axis] =
    (state.offsetSlack[axis] as number) +
    (state.slack[axis] as number) +
    8 * roundoff * (Number.isNaN(magnitude) ? 1e6 : magnitude)
}

function setData(machine: Machine) {
  const { block } = machine
  const kind = block.wanted(letterL)
  if (kind === 2 || kind === 20) return setOrigin(machine, kind === 20)
  if (kind === 1 && machine.setup.dialect === 'rs274') return setTool(machine)
  refuse('code-forbidden', { code: `G10 L${kind}` })
}

/** G10 L2 sets a work offset's origin, G10 L20 so that here is so much. */
function setOrigin({ block, state, dialect }: Machine, isHere: boolean): void {
  const number = block.value(letterP) ?? 0
  const chosen = number === 0 ? state.workOffset : number
  if (!Number.isInteger(chosen) || chosen < 1 || chosen > 9) refuse('offset-unknown', { P: number })
  const origin = state.origins[chosen] as Float64Array
  const turn = block.value(letterR)
  if (turn !== undefined && (isHere || dialect.reading.name !== 'rs274'))
    refuse('word-out-of-place', { word: 'R', code: codeName('G', 100) })
  if (turn !== undefined) state.rotations[chosen] = turn
  if (isHere && state.rotations[chosen] !== 0 && block.movesAxes) refuse('rotation-unsupported', { code: 'G10 L20' })
  for (let axis = 0; axis < axisCount; axis += 1) {
    const value = axisValue(block, state, axis)
    if (value === undefined) continue
    const here = (state.position[axis] as number) - (state.toolOffset[axis] as number) - (state.shift[axis] as number)
    origin[axis] = isHere ? here - value : value
    if (Number.isNaN(origin[axis] as number)) refuse('position-unknown', { axis: axisNames[axis], code: 'G10 L20' })
    if (isHere) loosen(state, axis, dialect.reading.roundoff)
  }
  state.offsetsChanged()
}

/** G10 L1: a tool's offsets. */
function setTool({ block, state }: Machine): void {
  const number = block.wanted(letterP)
  const tool = state.tools.get(number) ?? refuse('tool-unknown', { tool: number })
  const offsets: Record<string, number> = { ...tool.offsets }
  for (const [axis, name] of axisNames.entries()) {
    const value = axisValue(block, state, axis)
    if (value !== undefined) offsets[name] = value
  }
  const radius = block.value(letterR)
  state.tools.set(number, { offsets, diameterMm: radius === undefined ? tool.diameterMm : 2 * radius * state.scale })
}

/** G28, G30: rapid to the axes that are named, then for these (or all) to the machine's own place. */
function goToReference(machine: Machine, home: AxisNumbers | undefined, code: number): void {
  const { block, motion } = machine
  if (block.movesAxes) {
    motion.target.aim(block, false)
    motion.straight(true)
  }
  goHome(machine, home, codeName('G', code), block.present)
}

/** A rapid to the machine's own place for the axes named (a bit per letter), or for all; returns them, a bit per axis. */
export function goHome({ state, motion }: Machine, home: AxisNumbers | undefined, code: string, named: number): number {
  const place = axisArray(home ?? {}, Number.NaN)
  let axes = 0
  for (let axis = 0; axis < E; axis += 1) {
    const isMeant =
      (named & axisBits) !== 0 ? (named & (1 << (letterOfAxis[axis] as number))) !== 0 : (state.rates[axis] as number) > 0
    if (!isMeant) continue
    if (Number.isNaN(place[axis] as number)) refuse('reference-unknown', { code, axis: axisNames[axis] })
    axes |= 1 << axis
  }
  if (axes === 0) refuse('reference-unknown', { code })
  motion.target.aimMachine(place, axes)
  motion.straight(true)
  return axes
}
