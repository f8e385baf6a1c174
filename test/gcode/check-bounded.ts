import { type AxisName, type MachineSetup, type MotionRecord, programEnvelope } from '@interlock/bounds'
import { lengthOf, pointsOf } from './sampler.ts'

const names: readonly AxisName[] = ['x', 'y', 'z', 'a', 'b', 'c', 'u', 'v', 'w', 'e']
const stepsMax = 20_000
const motionsKept = 4_000
/** What the sampler itself may be off by. */
const epsilon = 1e-6
export const secondsMax = 10

/** Runs a program and samples the path that it took: throws where a point lies outside of the envelope, or where it took far too long. Says whether it was bounded. */
export function checkBounded(program: string, setup: MachineSetup): boolean {
  const motions: MotionRecord[] = []
  const began = performance.now()
  const ran = programEnvelope(Buffer.from(program, 'latin1'), setup, {
    stepsMax,
    observe: (motion) => {
      if (motions.length < motionsKept) motions.push(motion)
    },
  })
  const seconds = (performance.now() - began) / 1000
  if (seconds > secondsMax) throw new Error(`took ${seconds} s`)
  if (!ran.ok) {
    if (typeof ran.detail.line !== 'number') throw new Error(`${ran.reason} without a line`)
    return false
  }
  const { axes, travelMm } = ran.value
  let length = 0
  for (const motion of motions) {
    length += lengthOf(motion)
    for (const point of pointsOf(motion)) {
      for (const [axis, value] of point.entries()) {
        if (Number.isNaN(value) || (motion.from[axis] === motion.to[axis] && !motion.arc?.axes.includes(axis))) continue
        const extent = axes[names[axis] as AxisName]
        if (!extent || value < extent.min - epsilon || value > extent.max + epsilon)
          throw new Error(`${names[axis]} ${value} is outside of ${JSON.stringify(extent)}`)
      }
    }
  }
  if (length > travelMm * (1 + 1e-9) + epsilon) throw new Error(`${length} mm is longer than ${travelMm} mm`)
  return true
}
