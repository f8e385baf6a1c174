import { axisCount, E, isRotary, letterOfAxis, X, Y } from './axes.ts'
import type { Block } from './block.ts'
import { refuse } from './refusal.ts'
import type { State } from './state.ts'

const xyBits = 0b11

/** Where a move ends: machine coordinates, which axes it moves, and how far the true place may be from it. NaN where it cannot be known. */
export class Target {
  readonly place = new Float64Array(axisCount)
  readonly slack = new Float64Array(axisCount)
  /** Bit per axis. */
  axes = 0
  /** The slack of X is that of the two together, whichever way they lie. */
  isTurned = false
  readonly #state: State
  readonly #roundoff: number

  constructor(state: State, roundoff: number) {
    this.#state = state
    this.#roundoff = roundoff
  }

  /** From a block's axis words, in the modes in force; `isMachine` for G53. */
  aim(block: Block, isMachine: boolean): void {
    const { modes, position, offset, offsetMagnitude, offsetSlack, slack, scale } = this.#state
    const u = this.#roundoff
    this.axes = 0
    this.isTurned = false
    if (modes.units < 0) refuse('mode-unset', { wanted: 'G20 or G21' })
    for (let axis = 0; axis < axisCount; axis += 1) {
      const from = letterOfAxis[axis] as number
      if ((block.present & (1 << from)) === 0) continue
      this.axes |= 1 << axis
      let value = block.values[from] as number
      if (!isRotary(axis)) value *= scale
      if (axis === X && modes.lathe === 70) value /= 2
      if (isMachine) {
        this.place[axis] = value
        this.slack[axis] = this.#isExact(axis, value) ? 0 : 4 * u * Math.abs(value)
      } else if (this.#isAbsolute(axis)) {
        this.place[axis] = value + (offset[axis] as number)
        const magnitude = offsetMagnitude[axis] as number
        this.slack[axis] =
          magnitude === 0 && this.#isExact(axis, value)
            ? 0
            : (offsetSlack[axis] as number) + 8 * u * (Math.abs(value) + magnitude)
      } else {
        this.place[axis] = (position[axis] as number) + value
        this.slack[axis] = (slack[axis] as number) + 4 * u * (Math.abs(position[axis] as number) + Math.abs(value))
      }
    }
    if (this.#state.rotation !== 0 && !isMachine && (this.axes & xyBits) !== 0) this.#turn(block)
  }

  /** A place in the program's coordinates, millimetres or degrees, which was reckoned from where the machine stands. */
  aimProgram(program: Float64Array, axes: number): void {
    const { rotation, offsetMagnitude, offsetSlack, slack } = this.#state
    const machine = this.#state.machinePosition(program)
    this.isTurned = rotation !== 0 && (axes & xyBits) !== 0
    this.axes = this.isTurned ? axes | xyBits : axes
    const turned = this.isTurned ? this.#turnedSlack(program, true) : 0
    for (let axis = 0; axis < axisCount; axis += 1) {
      if ((this.axes & (1 << axis)) === 0) continue
      this.place[axis] = machine[axis] as number
      const magnitude = Math.abs(program[axis] as number) + (offsetMagnitude[axis] as number)
      const straight = (slack[axis] as number) + (offsetSlack[axis] as number) + 32 * this.#roundoff * magnitude
      this.slack[axis] = this.isTurned && axis <= Y ? turned : straight
    }
  }

  aimMachine(machine: Float64Array, axes: number): void {
    this.axes = axes
    this.isTurned = false
    for (let axis = 0; axis < axisCount; axis += 1) {
      if ((axes & (1 << axis)) === 0) continue
      this.place[axis] = machine[axis] as number
      this.slack[axis] = 0
    }
  }

  /** Lets an axis that is not named end where it stands. */
  stay(axis: number): void {
    if ((this.axes & (1 << axis)) !== 0) return
    this.place[axis] = this.#state.position[axis] as number
    this.slack[axis] = this.#state.slack[axis] as number
    this.axes |= 1 << axis
  }

  #isAbsolute(axis: number): boolean {
    const { modes } = this.#state
    if (axis === E && modes.extruder > 0) return modes.extruder === 820
    if (modes.distance < 0) refuse('mode-unset', { wanted: 'G90 or G91' })
    return modes.distance === 900
  }

  /** Whether the controller's number is the one that is written: nothing was added to it or multiplied. */
  #isExact(axis: number, value: number): boolean {
    const isAsWritten = isRotary(axis) || this.#state.modes.units === 210
    return isAsWritten && this.#state.modes.lathe !== 70 && (this.#roundoff === 2 ** -53 || Math.fround(value) === value)
  }

  /** How far X and Y together may be off after a turn: `isKept` where one of them stays what it was. */
  #turnedSlack(program: Float64Array, isKept: boolean): number {
    const { slack, offsetSlack, isSlackTurned } = this.#state
    const [x, y] = [slack[X] as number, slack[Y] as number]
    const kept = !isKept ? 0 : isSlackTurned ? Math.max(x, y) : Math.hypot(x, y)
    return (
      kept + Math.hypot(offsetSlack[X] as number, offsetSlack[Y] as number) + 32 * this.#roundoff * this.#state.xyReach(program)
    )
  }

  /** A turned work offset makes of X a move of X and Y. */
  #turn(block: Block): void {
    const { scale, modes } = this.#state
    const program = this.#state.programPosition()
    for (const axis of [X, Y]) {
      const value = block.value(letterOfAxis[axis] as number)
      if (value === undefined) continue
      const scaled = (value * scale) / (axis === X && modes.lathe === 70 ? 2 : 1)
      program[axis] = this.#isAbsolute(axis) ? scaled : (program[axis] as number) + scaled
    }
    const machine = this.#state.machinePosition(program)
    const isWhole = [X, Y].every((axis) => block.has(letterOfAxis[axis] as number) && this.#isAbsolute(axis))
    const off = this.#turnedSlack(program, !isWhole)
    for (const axis of [X, Y]) {
      this.place[axis] = machine[axis] as number
      this.slack[axis] = off
    }
    this.isTurned = true
    this.axes |= xyBits
  }
}
