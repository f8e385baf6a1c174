import { letter } from './axes.ts'
import type { Machine } from './machine.ts'
import { axisValue } from './offsets.ts'
import { planeOf } from './planes.ts'
import { refuse } from './refusal.ts'

const [letterI, letterJ, letterP, letterQ, letterR] = ['I', 'J', 'P', 'Q', 'R'].map(letter) as [
  number,
  number,
  number,
  number,
  number,
]

/**
 * Splines of LinuxCNC: G5 (cubic) and G5.1 (quadratic) in the XY plane, G5.2 to G5.3 and G6.2 (NURBS) in any. With weights above 0 a curve lies in the
 * hull of its control points and is no longer than the lines that join them (variation diminishing); the lines are run.
 */
export function runSpline(machine: Machine, code: number) {
  const { block, state, motion } = machine
  const [first, second] = planeOf(state.modes).axes
  const isBezier = code === 50 || code === 51
  if (isBezier && state.modes.plane !== 170) refuse('mode-unset', { wanted: 'G17' })
  const here = state.programPosition()
  if (Number.isNaN((here[first] as number) + (here[second] as number))) refuse('position-unknown', { in: 'a spline' })
  // G5.3 ends a curve, and G5.2 without axes begins it where the machine stands.
  if (code === 53 || (code === 52 && !block.movesAxes)) return
  const end = here.slice()
  for (let axis = 0; axis < end.length; axis += 1) {
    const value = axisValue(block, state, axis)
    if (value === undefined) continue
    if (axis !== first && axis !== second) refuse('spline-malformed', { wanted: 'the two axes of the plane alone' })
    if (state.modes.distance < 0) refuse('mode-unset', { wanted: 'G90 or G91' })
    end[axis] = state.modes.distance === 910 ? (here[axis] as number) + value : value
  }
  const weight = isBezier ? 1 : (block.value(code === 52 ? letterP : letterR) ?? 1)
  if (!(weight > 0)) refuse('spline-malformed', { weight })
  motion.hull(isBezier ? [...controlPoints(machine, code, here, end), end] : [end], (1 << first) | (1 << second))
}

function controlPoints({ block, state }: Machine, code: number, here: Float64Array, end: Float64Array): Float64Array[] {
  const at = (from: Float64Array, first: number, second: number): Float64Array => {
    const point = from.slice()
    point[0] = (from[0] as number) + block.wanted(first) * state.scale
    point[1] = (from[1] as number) + block.wanted(second) * state.scale
    return point
  }
  return code === 50 ? [at(here, letterI, letterJ), at(end, letterP, letterQ)] : [at(here, letterI, letterJ)]
}
