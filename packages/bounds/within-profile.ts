import { accepted, type ProgramProfile, type Quantity, type Range, type Result, refused } from '@interlock/contracts'
import type { Envelope } from './gcode/program-envelope.ts'
import { firstOutside, type LimitReason } from './limits.ts'
import { axisUnit } from './setup-of-profile.ts'

export type WithinReason = LimitReason | 'program-outside-machine' | 'program-outside-command' | 'program-leaves-offsets'
export type MeasureName = keyof ProgramProfile['limits']

/** What a program comes to, by the names of a profile's limits. Those that `mustBeLimited` do harm by themselves: no limit is then none of it. */
const measures: readonly (readonly [
  name: MeasureName,
  unit: string,
  mustBeLimited: boolean,
  of: (envelope: Envelope) => number,
])[] = [
  ['feed', 'mm/min', false, ({ feedMax }) => feedMax],
  ['spindle', '/min', false, ({ spindleMax }) => spindleMax],
  ['power', 'W', true, ({ powerMaxW }) => powerMaxW],
  ['energy', 'J', true, ({ energyJ }) => energyJ],
  ['travel', 'mm', false, ({ travelMm }) => travelMm],
  ['turn', 'deg', false, ({ turnDegrees }) => turnDegrees],
  ['time', 's', false, ({ seconds }) => seconds],
  ['material', 'mm', false, ({ materialMm }) => materialMm],
  ['hotend', 'Cel', true, ({ temperatures }) => temperatures.hotend],
  ['bed', 'Cel', true, ({ temperatures }) => temperatures.bed],
  ['chamber', 'Cel', true, ({ temperatures }) => temperatures.chamber],
]

/** What of an envelope a budget can be charged with, as quantities. */
export const measuresOf = (envelope: Envelope): Readonly<Record<MeasureName, Quantity>> =>
  Object.fromEntries(measures.map(([name, unit, , of]) => [name, quantity(of(envelope), unit)])) as Record<MeasureName, Quantity>

/** Whether a program stays within what its device's profile allows. A refusal says what, how much, the nearest allowed, and that the limit is the machine's. */
export function withinProfile(
  envelope: Envelope,
  { axes, limits }: Pick<ProgramProfile, 'axes' | 'limits'>,
): Result<Envelope, WithinReason> {
  // Every later program would be read by other offsets than those of the profile (ATTACKS 67, over two programs).
  const [left] = envelope.leaves
  if (left !== undefined) return refused('program-leaves-offsets', { left, limitOf: 'machine' })
  return beyondAxes(envelope, axes) ?? beyondLimits(envelope, limits) ?? accepted(envelope)
}

/** What the command says of feed, spindle and power is what was granted; a program that goes beyond says one thing and does another. */
export function withinCommand(
  envelope: Envelope,
  quantities: Readonly<Record<string, Quantity>>,
): Result<Envelope, WithinReason> {
  const reached = measuresOf(envelope)
  for (const parameter of ['feed', 'spindle', 'power'] as const) {
    if (reached[parameter].value === '0') continue
    const asked = Object.hasOwn(quantities, parameter) ? quantities[parameter] : undefined
    if (!asked) return refused('program-outside-command', { parameter, asked: reached[parameter], limitOf: 'command' })
    const outside = beyond(parameter, reached[parameter], { max: asked.value, unit: asked.unit }, 'command')
    if (outside) return outside
  }
  return accepted(envelope)
}

function beyondAxes({ axes }: Envelope, limits: ProgramProfile['axes']) {
  for (const [axis, { min, max }] of Object.entries(axes) as [keyof Envelope['axes'], { min: number; max: number }][]) {
    const range = Object.hasOwn(limits, axis) ? limits[axis] : undefined
    if (!range) return refused('program-outside-machine', { axis, limitOf: 'machine' })
    for (const reach of [min, max]) {
      const outside = beyond(axis, quantity(reach, axisUnit(axis)), range, 'machine')
      if (outside) return refused(outside.reason, { ...outside.detail, axis })
    }
  }
  return undefined
}

function beyondLimits(envelope: Envelope, limits: ProgramProfile['limits']) {
  for (const [parameter, unit, mustBeLimited, of] of measures) {
    const reached = quantity(of(envelope), unit)
    if (reached.value === '0') continue
    const range = Object.hasOwn(limits, parameter) ? limits[parameter] : undefined
    if (!range && mustBeLimited) return refused('program-outside-machine', { parameter, asked: reached, limitOf: 'machine' })
    const outside = range && beyond(parameter, reached, range, 'machine')
    if (outside) return outside
  }
  return undefined
}

function beyond(parameter: string, reached: Quantity, range: Range, limitOf: 'machine' | 'command') {
  const outside = firstOutside({ [parameter]: reached }, [{ limitOf, ranges: { [parameter]: range } }])
  if (!outside.ok) return refused(outside.reason, outside.detail)
  return outside.value && refused(`program-outside-${limitOf}`, { ...outside.value, parameter })
}

/** Three decimals, away from zero: an envelope is never made smaller by its writing. */
function quantity(value: number, unit: string): Quantity {
  const thousandths = Math.ceil(Math.abs(value) * 1000 - 1e-6)
  const text = ((Math.sign(value) * thousandths) / 1000).toFixed(3).replace(/\.?0+$/, '')
  return { value: text === '-0' ? '0' : text, unit }
}
