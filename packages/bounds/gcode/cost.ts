import type { Accumulator } from './accumulator.ts'
import { axisNames, E, isRotary } from './axes.ts'
import { refuse } from './refusal.ts'
import type { State } from './state.ts'

/** What one move costs, axis by axis and then as a whole: length, time, energy, material. Each is the most that it may be. */
export class Cost {
  readonly #state: State
  readonly #sum: Accumulator
  /** Squares of the lengths along linear axes, and along all. */
  #linear = 0
  #all = 0
  /** The longest that an axis needs at its greatest speed. */
  #minutes = 0
  /** The greatest length by acceleration: divided by the time, what speeding up takes. */
  #acceleration = 0

  constructor(state: State, sum: Accumulator) {
    this.#state = state
    this.#sum = sum
  }

  begin(): void {
    this.#linear = 0
    this.#all = 0
    this.#minutes = 0
    this.#acceleration = 0
  }

  /** One axis goes this far. */
  along(axis: number, distance: number): void {
    const square = distance * distance
    this.#all += square
    if (isRotary(axis)) this.#sum.turnDegrees += distance
    else if (axis !== E) this.#linear += square
    this.atMost(axis, distance)
  }

  /** One axis is not faster than it can be while it does so. */
  atMost(axis: number, distance: number): void {
    const rate = this.#state.rates[axis] as number
    if (Number.isNaN(rate)) refuse('axis-unknown', { axis: axisNames[axis] })
    const minutes = distance / rate
    if (minutes > this.#minutes) this.#minutes = minutes
    const acceleration = distance / (this.#state.accelerations[axis] as number)
    if (acceleration > this.#acceleration) this.#acceleration = acceleration
  }

  /** The move is done. `bend` is the length along the circle of an arc, and `extra` what compensation may add. */
  end(isRapid: boolean, bend: number, radius: number, extra: number): void {
    this.#sum.motions += 1
    this.#sum.travelMm += bend === 0 ? Math.sqrt(this.#linear) + extra : Math.hypot(bend, Math.sqrt(this.#linear)) + extra
    const length = (bend === 0 ? Math.sqrt(this.#all) : Math.hypot(bend, Math.sqrt(this.#all))) + extra
    if (length === 0) return
    let seconds = this.#minutes * 60
    if (bend > 0) seconds = Math.max(seconds, bend / Math.sqrt((this.#slowest() * radius) / 2))
    if (!isRapid || this.#state.setup.dialect === 'marlin') seconds = Math.max(seconds, this.#feedSeconds(length))
    // From standstill to standstill: no planner takes longer than one that speeds up and brakes for each move.
    this.spend(seconds + this.#acceleration / seconds, isRapid)
  }

  /** Time in which the beam of a laser may be on. */
  spend(seconds: number, isRapid: boolean): void {
    this.#sum.seconds += seconds
    const { modes, setup } = this.#state
    if (!setup.laser || modes.spindleState === 50) return
    // GRBL's laser mode ($32) keeps the beam off in rapid moves.
    if (isRapid && setup.dialect === 'grbl') return
    this.#sum.energyJ += this.laserPowerW() * seconds
  }

  laserPowerW(): number {
    const { laser } = this.#state.setup
    return laser ? (this.#state.modes.spindle / laser.sMax) * laser.powerMaxW : 0
  }

  extrude(length: number): void {
    if (Number.isNaN(length)) refuse('position-unknown', { axis: 'e' })
    if (length > 0) this.#sum.materialMm += (length * this.#state.flowPerCent) / 100
  }

  /** Turns a minute of the spindle, for motions that wait for it. */
  spindleTurns(): number {
    const { modes } = this.#state
    if (modes.spindleState === 50 || !(modes.spindle > 0)) refuse('spindle-unset', { wanted: 'a turning spindle' })
    return modes.spindleMode === 960 ? refuse('spindle-unbounded', { code: 'G96' }) : modes.spindle
  }

  #feedSeconds(length: number): number {
    const { modes } = this.#state
    if (!(modes.feedLow > 0)) refuse('feed-unset', { wanted: 'F' })
    if (modes.feedMode < 0) refuse('mode-unset', { wanted: 'G93, G94 or G95' })
    if (modes.feedMode === 930) {
      const seconds = 60 / modes.feedLow
      this.#feed((length / seconds) * 60)
      return seconds
    }
    const share = (this.#state.feedPerCent / 100) * (modes.feedMode === 950 ? this.spindleTurns() : 1)
    this.#feed(modes.feedHigh * share)
    return (length / (modes.feedLow * share)) * 60
  }

  #feed(feed: number): void {
    if (feed > this.#sum.feedMax) this.#sum.feedMax = feed
  }

  #slowest(): number {
    const known = this.#state.accelerations.filter((one) => one > 0)
    return Math.min(...known)
  }
}
