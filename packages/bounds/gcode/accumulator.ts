import { axisCount } from './axes.ts'
import { limits } from './limits-of-work.ts'
import { refuse } from './refusal.ts'

/** What a program has done so far, always the most that it may have done. */
export class Accumulator {
  readonly min = new Float64Array(axisCount).fill(Number.POSITIVE_INFINITY)
  readonly max = new Float64Array(axisCount).fill(Number.NEGATIVE_INFINITY)
  feedMax = 0
  spindleMax = 0
  powerMaxW = 0
  energyJ = 0
  travelMm = 0
  turnDegrees = 0
  seconds = 0
  materialMm = 0
  motions = 0
  waits = 0
  steps = 0
  stepsMax: number = limits.stepsMax
  readonly temperatures = { hotend: 0, bed: 0, chamber: 0 }
  readonly tools = new Set<number>()
  readonly leaves = new Set<string>()

  /** @throws Refusal where an axis goes beyond what doubles can tell apart */
  extend(axis: number, low: number, high: number): void {
    if (low < (this.min[axis] as number)) this.min[axis] = low
    if (high > (this.max[axis] as number)) this.max[axis] = high
    if (!(low > -limits.valueMax && high < limits.valueMax))
      refuse('number-out-of-range', { reached: high, max: limits.valueMax })
  }

  step(count: number): void {
    this.steps += count
    if (this.steps > this.stepsMax) refuse('program-too-long', { stepsMax: this.stepsMax })
  }

  useTool(tool: number): void {
    this.tools.add(tool)
    if (this.tools.size > limits.toolsMax) refuse('program-too-large', { toolsMax: limits.toolsMax })
  }
}

/** Micrometres or thousandths of a degree, outwards. A double that is the nearest to such a number stands for it exactly. */
export const outwards = (min: number, max: number) => ({
  min: isThousandths(min) ? min : Math.floor(min * 1000 - 1e-6) / 1000,
  max: isThousandths(max) ? max : Math.ceil(max * 1000 + 1e-6) / 1000,
})

const isThousandths = (value: number) => Number(value.toFixed(3)) === value

/** Upwards by what a sum of so many doubles may have lost (n·u of a sum of n positive terms), and to six digits after the point. */
export const upwards = (sum: number, terms: number): number => Math.ceil(sum * (1 + (terms + 8) * 2 ** -52) * 1e6) / 1e6
