import { type AxisName, type Envelope, type MotionRecord, programEnvelope } from '@interlock/bounds'
import { type CanonicalPath, canonicalPath } from './canonical-path.ts'
import { linuxcncMachine } from './linuxcnc-machine.ts'
import { rs274 } from './rs274.ts'

export type Comparison = {
  readonly kind: 'agree' | 'within' | 'outside' | 'differs' | 'refused here' | 'refused there' | 'refused by both'
  readonly why?: string
}

/** It prints four decimals: of an inch that is 2.5 µm, and of a turned offset some times that. */
const printedMm = 0.01
/** What is bounded by a box by design: spirals by the greater circle; by their words compensation, splines, threads. */
const boxed = /G\s*4[12]|G\s*5\.?[123]?\s|G\s*6\.2|G\s*76|G\s*5\.2/i

export function compareWithRs274(program: Uint8Array): Comparison {
  let isSpiral = false
  const observe = (motion: MotionRecord) => {
    isSpiral ||= radiiDiffer(motion)
  }
  const here = programEnvelope(program, linuxcncMachine, { observe })
  const there = rs274(program)
  if (!here.ok)
    return there.ok ? { kind: 'refused here', why: `${here.reason} ${JSON.stringify(here.detail)}` } : { kind: 'refused by both' }
  if (!there.ok) return { kind: 'refused there', why: there.complaint }
  const path = canonicalPath(there.commands)
  const outside = firstOutside(here.value, path)
  if (outside) return { kind: 'outside', why: outside }
  if (isSpiral || boxed.test(Buffer.from(program).toString('latin1'))) return { kind: 'within' }
  const other = firstDifference(here.value, path)
  return other ? { kind: 'differs', why: other } : { kind: 'agree' }
}

function firstOutside({ axes, travelMm }: Envelope, path: CanonicalPath): string | undefined {
  for (const [axis, name] of names.entries()) {
    const [min, max] = [path.min[axis] as number, path.max[axis] as number]
    if (min > max) continue
    const extent = axes[name]
    if (!extent || min < extent.min - printedMm || max > extent.max + printedMm)
      return `${name} ${min} to ${max} is not in ${JSON.stringify(extent)}`
  }
  // Many small steps of rounded numbers add up to a little more than the way.
  const longest = travelMm * 1.0005 + printedMm * (path.motions + 1)
  return path.lengthMm > longest ? `${path.lengthMm} mm is longer than ${travelMm} mm` : undefined
}

function firstDifference({ axes, travelMm }: Envelope, path: CanonicalPath): string | undefined {
  for (const [axis, name] of names.entries()) {
    const [min, max] = [path.min[axis] as number, path.max[axis] as number]
    const extent = axes[name]
    if (!extent || (min > max && extent.max - extent.min < 2 * printedMm)) continue
    if (
      Math.abs(extent.min - min) > 2 * printedMm + Math.abs(min) * 1e-5 ||
      Math.abs(extent.max - max) > 2 * printedMm + Math.abs(max) * 1e-5
    )
      return `${name} ${min} to ${max}, here ${JSON.stringify(extent)}`
  }
  const shortest = travelMm * 0.9995 - printedMm * (path.motions + 1)
  return path.lengthMm < shortest ? `${path.lengthMm} mm, here ${travelMm} mm` : undefined
}

const names: readonly AxisName[] = ['x', 'y', 'z', 'a', 'b', 'c']

function radiiDiffer({ from, to, arc }: MotionRecord): boolean {
  if (!arc) return false
  const radius = (place: Float64Array) =>
    Math.hypot(...arc.axes.map((axis, at) => (place[axis] as number) - (arc.centre[at] as number)))
  return Math.abs(radius(from) - radius(to)) > printedMm / 2
}
