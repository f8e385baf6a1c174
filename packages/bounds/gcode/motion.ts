import type { Accumulator } from './accumulator.ts'
import { type Arc, arcExtents, centreOf, type Point } from './arc.ts'
import { axisCount, axisNames, E, letter } from './axes.ts'
import type { Block } from './block.ts'
import { Cost } from './cost.ts'
import { planeOf } from './planes.ts'
import { refuse } from './refusal.ts'
import { type State, turned } from './state.ts'
import { Target } from './target.ts'

/** A motion as it is run, machine coordinates: for pictures and tests. Arrays hold the axes in their order. */
export type MotionRecord = {
  readonly isRapid: boolean
  readonly from: Float64Array
  readonly to: Float64Array
  /** Where it is an arc: its plane's axes, its centre in them, and its turn in radians, anticlockwise positive. */
  readonly arc?: { readonly axes: readonly [number, number]; readonly centre: Point; readonly sweep: number }
}
export type Observer = (motion: MotionRecord) => void

const [letterI, letterJ, letterK, letterP, letterR] = ['I', 'J', 'K', 'P', 'R'].map(letter) as [
  number,
  number,
  number,
  number,
  number,
]
const turnsMax = 1000

/** Moves the machine, and counts what each move is. */
export class Motion {
  readonly target: Target
  readonly cost: Cost
  readonly #state: State
  readonly #sum: Accumulator
  readonly #roundoff: number
  readonly #observe: Observer | undefined

  constructor(state: State, sum: Accumulator, roundoff: number, observe: Observer | undefined) {
    this.#state = state
    this.#sum = sum
    this.#roundoff = roundoff
    this.#observe = observe
    this.target = new Target(state, roundoff)
    this.cost = new Cost(state, sum)
  }

  /** A straight move to the target. */
  straight(isRapid: boolean): void {
    const { axes } = this.target
    const radius = this.#compensation()
    this.cost.begin()
    for (let axis = 0; axis < axisCount; axis += 1) if ((axes & (1 << axis)) !== 0) this.#reach(axis)
    this.cost.end(isRapid, 0, 0, radius === 0 ? 0 : this.#beside(radius, 0))
    this.#arrive(isRapid)
  }

  /** An arc or helix to the target. */
  arc(block: Block, isClockwise: boolean): void {
    const { rotation, position, slack, modes } = this.#state
    const { target } = this
    const { axes, centre: names } = planeOf(modes)
    const [first, second] = axes
    if (this.#state.leavesCompensation) refuse('compensation-malformed', { after: 'G40', wanted: 'a straight move' })
    if (rotation !== 0 && modes.plane !== 170) refuse('rotation-unsupported', { wanted: 'G17' })
    const start: Point = [position[first] as number, position[second] as number]
    if (Number.isNaN(start[0] + start[1])) refuse('position-unknown', { axes: [axisNames[first], axisNames[second]] })
    target.stay(first)
    target.stay(second)
    const end: Point = [target.place[first] as number, target.place[second] as number]
    if (Number.isNaN(end[0] + end[1])) this.#refuseUnknown(Number.isNaN(end[0]) ? first : second)
    const turns = block.value(letterP) ?? 1
    if (!Number.isInteger(turns) || turns < 1 || turns > turnsMax) refuse('arc-malformed', { turns })

    const found = this.#centre(block, names, axes, start, end, isClockwise)
    const ends = Math.max(...[first, second].flatMap((axis) => [slack[axis] as number, target.slack[axis] as number]))
    const off = found.slack + 2 * ends + 16 * this.#roundoff * (Math.abs(found.centre[0]) + Math.abs(found.centre[1]))
    const arc: Arc = {
      start,
      end,
      centre: found.centre,
      isClockwise,
      turns,
      differenceMax: this.#state.setup.dialect === 'rs274' ? Number.POSITIVE_INFINITY : 0.5,
    }
    const extents = arcExtents(arc, off) ?? refuse('arc-malformed', { centre: found.centre, start, end })
    const around = off + 16 * this.#roundoff * extents.reach + this.#compensation()
    const sweep = Math.abs(extents.sweep)
    const bend = extents.length + sweep * around

    this.cost.begin()
    for (let axis = 0; axis < axisCount; axis += 1) {
      if ((target.axes & (1 << axis)) !== 0 && axis !== first && axis !== second) this.#reach(axis)
    }
    this.cost.atMost(first, bend)
    this.cost.atMost(second, bend)
    this.#sum.extend(first, extents.min[0] - around, extents.max[0] + around)
    this.#sum.extend(second, extents.min[1] - around, extents.max[1] + around)
    this.cost.end(false, bend, extents.reach, this.#beside(this.#compensation(), 0))
    this.#arrive(false, { axes: [first, second], centre: found.centre, sweep: extents.sweep })
  }

  /** A curve within the hull of points in the program's coordinates, and no longer than the lines that join them. */
  hull(points: readonly Float64Array[], axes: number): void {
    if (this.#compensation() !== 0) refuse('compensation-malformed', { in: 'a spline' })
    for (const point of points) {
      this.target.aimProgram(point, axes)
      this.straight(false)
    }
  }

  /** Time in which nothing moves. */
  dwell(seconds: number): void {
    if (!(seconds >= 0)) refuse('word-out-of-place', { seconds })
    this.cost.spend(seconds, false)
  }

  /** Takes one axis to its target: its extent, and its part of the cost. */
  #reach(axis: number): void {
    const { target } = this
    const to = target.place[axis] as number
    if (Number.isNaN(to)) this.#refuseUnknown(axis)
    const off = target.slack[axis] as number
    const from = this.#state.position[axis] as number
    this.cost.along(
      axis,
      Number.isNaN(from) ? this.#farthest(axis, to) : Math.abs(to - from) + off + (this.#state.slack[axis] as number),
    )
    this.#leave(axis)
    this.#sum.extend(axis, to - off, to + off)
    if (axis === E) this.cost.extrude(to - from)
  }

  /** The first move of an axis begins where it stood, if that is known; otherwise it is between the soft limits as every place is. */
  #leave(axis: number): void {
    if (this.#sum.min[axis] !== Number.POSITIVE_INFINITY) return
    const from = this.#state.position[axis] as number
    if (Number.isNaN(from)) return
    const off = this.#state.slack[axis] as number
    this.#sum.extend(axis, from - off, from + off)
  }

  /** Ends a move: where the machine is now. */
  #arrive(isRapid: boolean, arc?: MotionRecord['arc']): void {
    const { target } = this
    const { position, slack } = this.#state
    const from = this.#observe && Float64Array.from(position)
    for (let axis = 0; axis < axisCount; axis += 1) {
      if ((target.axes & (1 << axis)) === 0) continue
      position[axis] = target.place[axis] as number
      slack[axis] = target.slack[axis] as number
    }
    if ((target.axes & 0b11) !== 0) this.#state.isSlackTurned = target.isTurned
    this.#state.leavesCompensation = false
    if (from) this.#observe?.({ isRapid, from, to: Float64Array.from(position), ...(arc && { arc }) })
  }

  /** The tool's radius where it may be beside its path. */
  #compensation(): number {
    return this.#state.modes.compensation === 400 && !this.#state.leavesCompensation ? 0 : this.#state.compensationRadius
  }

  /** Compensation keeps the tool within its radius of the path: the box grows by it, and a corner is half a turn of it at most. */
  #beside(radius: number, sweep: number): number {
    if (radius === 0) return 0
    const { target } = this
    const longer = (sweep + Math.PI + 2) * radius
    for (const axis of planeOf(this.#state.modes).axes.slice(0, 2)) {
      const isMoved = (target.axes & (1 << axis)) !== 0
      const place = (isMoved ? target.place[axis] : this.#state.position[axis]) as number
      if (Number.isNaN(place)) refuse('position-unknown', { axis: axisNames[axis] })
      const off = (isMoved ? target.slack[axis] : this.#state.slack[axis]) as number
      this.#sum.extend(axis, place - off - radius, place + off + radius)
      this.cost.atMost(axis, longer + (isMoved ? Math.abs(place - (this.#state.position[axis] as number)) : 0))
    }
    return longer
  }

  #centre(
    block: Block,
    names: readonly [number, number],
    [firstAxis, secondAxis]: readonly [number, number, number],
    start: Point,
    end: Point,
    isClockwise: boolean,
  ): { centre: Point; slack: number } {
    const { scale, rotation, modes, setup } = this.#state
    const given = [letterI, letterJ, letterK].filter((one) => block.has(one))
    if (block.has(letterR)) {
      if (given.length > 0) refuse('arc-malformed', { words: 'R and I, J, K' })
      const radius = block.wanted(letterR) * scale
      return centreOf(start, end, radius, isClockwise, this.#roundoff) ?? refuse('arc-malformed', { radius })
    }
    if (given.length === 0 || given.some((one) => !names.includes(one)))
      refuse('arc-malformed', { wanted: 'R, or the centre in the plane' })
    if (modes.arcDistance < 0 && setup.dialect === 'rs274') refuse('mode-unset', { wanted: 'G90.1 or G91.1' })
    const first = (block.value(names[0]) ?? 0) * scale
    const second = (block.value(names[1]) ?? 0) * scale
    if (modes.arcDistance !== 901) {
      const [x, y] = rotation === 0 ? [first, second] : turned(first, second, rotation)
      return { centre: [start[0] + x, start[1] + y], slack: 0 }
    }
    if (given.length < 2) refuse('arc-malformed', { wanted: 'both words of the centre' })
    const program = this.#state.programPosition()
    program[firstAxis] = first
    program[secondAxis] = second
    const machine = this.#state.machinePosition(program)
    const slack =
      32 * this.#roundoff * this.#state.xyReach(program) +
      (this.#state.offsetSlack[firstAxis] as number) +
      (this.#state.offsetSlack[secondAxis] as number)
    return { centre: [machine[firstAxis] as number, machine[secondAxis] as number], slack }
  }

  /** The longest way that a move may be from wherever the soft limits let the axis be. */
  #farthest(axis: number, to: number): number {
    const known = this.#state.setup.axes[axisNames[axis] as (typeof axisNames)[number]]
    return known
      ? Math.max(Math.abs(to - known.min), Math.abs(to - known.max))
      : refuse('axis-unknown', { axis: axisNames[axis] })
  }

  #refuseUnknown(axis: number): never {
    const { origins, workOffset, shift, offset } = this.#state
    if (!Number.isNaN(offset[axis] as number)) return refuse('position-unknown', { axis: axisNames[axis] })
    const isOriginUnknown = Number.isNaN((origins[workOffset] as Float64Array)[axis] as number)
    const origin = workOffset === 0 ? 'G54 to G59.3' : `the origin of work offset ${workOffset}`
    const wanted = isOriginUnknown ? origin : Number.isNaN(shift[axis] as number) ? 'G92.1' : 'G49 or G43'
    return refuse('offset-unknown', { axis: axisNames[axis], wanted })
  }
}
