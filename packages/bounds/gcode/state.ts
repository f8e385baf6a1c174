import { axisArray, axisCount, E } from './axes.ts'
import type { MachineSetup, Tool } from './machine-setup.ts'

/** G codes in force, times ten; -1 where neither the program nor the control's start-up has said. M70 saves them. */
export type Modes = {
  /** G0 to G3, G33, G73, G76, G81 to G89; 800 for none. */
  motion: number
  plane: number
  units: number
  distance: number
  arcDistance: number
  feedMode: number
  /** 980 back to where the cycle began, 990 to R. */
  retract: number
  /** 70 (diameter) or 80 (radius). */
  lathe: number
  spindleMode: number
  /** 400, 410 or 420: cutter compensation. */
  compensation: number
  /** Marlin's M82 and M83: whether E is absolute. */
  extruder: number
  /** Speed as the program has it, in the units of then. A block that changes units and sets F means the one or the other, by the control. */
  feedLow: number
  feedHigh: number
  spindle: number
  /** 30, 40 or 50. */
  spindleState: number
  /** Cutting speed's greatest number of turns (G96 D). */
  spindleLimit: number
}

const unset = -1

/** The controller's memory while a program runs. NaN stands for what is not known: it goes through every sum, and is refused where a motion needs it. */
export class State {
  readonly setup: MachineSetup
  modes: Modes = {
    motion: unset,
    plane: unset,
    units: unset,
    distance: unset,
    arcDistance: unset,
    feedMode: unset,
    retract: unset,
    lathe: 80,
    spindleMode: unset,
    // The end of every program sets them (RS274/NGC §3.6.1), as does an abort.
    compensation: 400,
    extruder: unset,
    feedLow: 0,
    feedHigh: 0,
    spindle: Number.NaN,
    spindleState: 50,
    spindleLimit: 0,
  }
  /** Machine coordinates. */
  readonly position: Float64Array
  /** How far the true position may be from it: roundings of this interpreter and of the controller. */
  readonly slack = new Float64Array(axisCount)
  /** A turn of the work offset mixes what X and Y are off by: both then hold the length of it, which no further turn makes longer. */
  isSlackTurned = false
  /** Origins of the work offsets 1 to 9, and their turns about Z in degrees. */
  readonly origins: Float64Array[]
  readonly rotations: Float64Array
  workOffset = 0
  /** G92 and G52. */
  readonly shift = new Float64Array(axisCount).fill(Number.NaN)
  /** What G92.2 put aside and G92.3 brings back. */
  readonly savedShift = new Float64Array(axisCount).fill(Number.NaN)
  readonly toolOffset = new Float64Array(axisCount).fill(Number.NaN)
  readonly tools: Map<number, Tool>
  tool = Number.NaN
  selectedTool = Number.NaN
  /** Sum of all offsets by axis, kept when one changes: a plain move adds one number. */
  readonly offset = new Float64Array(axisCount).fill(Number.NaN)
  /** What went into it, without signs: how much a rounding may be. */
  readonly offsetMagnitude = new Float64Array(axisCount)
  /** How far offsets may be off that were set from a position (G92, G10 L20). */
  readonly offsetSlack = new Float64Array(axisCount)
  rotation = Number.NaN
  compensationRadius = 0
  /** The move that ends compensation still begins beside its path. */
  leavesCompensation = false
  /** Greatest number of feed per cent (Marlin M220) and flow (M221). */
  feedPerCent = 100
  flowPerCent = 100
  readonly rates: Float64Array
  readonly accelerations: Float64Array

  constructor(setup: MachineSetup) {
    this.setup = setup
    const { axes, workOffsets = {} } = setup
    this.position = axisArray(setup.start ?? {}, Number.NaN)
    const offsets = Array.from({ length: 10 }, (_, number) =>
      Object.hasOwn(workOffsets, number) ? workOffsets[number] : undefined,
    )
    this.origins = offsets.map((offset) => axisArray(offset ?? {}, offset ? 0 : Number.NaN))
    this.rotations = Float64Array.from(offsets, (offset) => (offset ? (offset.rotation ?? 0) : Number.NaN))
    this.tools = new Map(Object.entries(setup.tools ?? {}).map(([number, tool]) => [Number(number), tool]))
    const numbers = (key: 'ratePerMin' | 'accelerationPerS2') =>
      axisArray(Object.fromEntries(Object.entries(axes).map(([name, axis]) => [name, axis[key]])), Number.NaN)
    this.rates = numbers('ratePerMin')
    this.accelerations = numbers('accelerationPerS2')
    if (setup.dialect === 'marlin') this.#beginMarlin()
  }

  /** Marlin has one work offset, its own origin, and no tool lengths. Where filament stands is counted from where the program finds it. */
  #beginMarlin(): void {
    this.position[E] = 0
    this.toolOffset.fill(0)
    this.selectWorkOffset(1)
  }

  get scale(): number {
    return this.modes.units === 200 ? 25.4 : 1
  }

  selectWorkOffset(number: number): void {
    this.workOffset = number
    this.offsetsChanged()
  }

  offsetsChanged(): void {
    const origin = this.origins[this.workOffset] as Float64Array
    this.rotation = this.rotations[this.workOffset] as number
    for (let axis = 0; axis < axisCount; axis += 1) {
      const [first, second, third] = [origin[axis] as number, this.shift[axis] as number, this.toolOffset[axis] as number]
      this.offset[axis] = first + second + third
      this.offsetMagnitude[axis] = Math.abs(first) + Math.abs(second) + Math.abs(third)
    }
  }

  /** Position in the program's coordinates, millimetres or degrees; NaN where not known. Turned work offsets turn X and Y alone. */
  programPosition(): Float64Array {
    const place = this.unshifted()
    for (let axis = 0; axis < axisCount; axis += 1) place[axis] = (place[axis] as number) - (this.shift[axis] as number)
    return place
  }

  /** The same without G92 and G52. */
  unshifted(): Float64Array {
    const origin = this.origins[this.workOffset] as Float64Array
    const place = new Float64Array(axisCount)
    for (let axis = 0; axis < axisCount; axis += 1) {
      place[axis] = (this.position[axis] as number) - (origin[axis] as number) - (this.toolOffset[axis] as number)
    }
    if (this.rotation !== 0) turn(place, -this.rotation)
    return place
  }

  /** How great the numbers are that a turn of X and Y adds up. */
  xyReach(program: Float64Array): number {
    let reach = 0
    for (const axis of [0, 1, 2])
      reach +=
        Math.abs(program[axis] as number) + (this.offsetMagnitude[axis] as number) + Math.abs(this.position[axis] as number)
    return Number.isNaN(reach) ? 1e6 : reach
  }

  /** The inverse: machine coordinates of a place in the program's. */
  machinePosition(program: Float64Array): Float64Array {
    const origin = this.origins[this.workOffset] as Float64Array
    const place = new Float64Array(axisCount)
    for (let axis = 0; axis < axisCount; axis += 1) place[axis] = (program[axis] as number) + (this.shift[axis] as number)
    if (this.rotation !== 0) turn(place, this.rotation)
    for (let axis = 0; axis < axisCount; axis += 1) {
      place[axis] = (place[axis] as number) + (origin[axis] as number) + (this.toolOffset[axis] as number)
    }
    return place
  }
}

function turn(place: Float64Array, degrees: number): void {
  const [x, y] = turned(place[0] as number, place[1] as number, degrees)
  place[0] = x
  place[1] = y
}

export function turned(x: number, y: number, degrees: number): readonly [number, number] {
  const angle = (degrees * Math.PI) / 180
  return [x * Math.cos(angle) - y * Math.sin(angle), x * Math.sin(angle) + y * Math.cos(angle)]
}
