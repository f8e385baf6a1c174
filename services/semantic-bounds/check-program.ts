import {
  axisUnit,
  type Envelope,
  firstOutside,
  type LimitReason,
  type ProfileReason,
  type ProgramReason,
  programEnvelope,
  setupOfProfile,
} from '@interlock/bounds'
import {
  accepted,
  type DeviceEntry,
  type ProgramProfile,
  type Quantity,
  type Range,
  type Result,
  refused,
} from '@interlock/contracts'
import type { StageInput } from '@interlock/enforcer'

export type ProgramCheckReason =
  | `gcode-${ProgramReason}`
  | LimitReason
  | ProfileReason
  | 'program-missing'
  | 'program-unexpected'
  | 'program-media-type'
  | 'program-too-large'
  | 'program-outside-machine'
  | 'program-outside-command'
  | 'program-leaves-offsets'

type Capability = DeviceEntry['capabilities'][string]

/** Blocks that one decision may run: what comes behind it in its partition waits for a second or two at most. */
const stepsMax = 1_000_000

/**
 * Runs the program to the envelope it stays in, and checks the envelope: the machine's axes and limits, and the feed, spindle speed and power that the
 * command itself asks for, which the grant limits. Undefined where the capability takes no program.
 */
export function checkProgram(
  { command, intent }: Pick<StageInput, 'command' | 'intent'>,
  { program: wanted }: Capability,
  quantities: Readonly<Record<string, Quantity>>,
): Result<Envelope | undefined, ProgramCheckReason> {
  const reference = command.program
  if (!wanted) return reference ? refused('program-unexpected') : accepted(undefined)
  if (!reference) return refused('program-missing')
  if (!wanted.mediaTypes.includes(reference.mediaType))
    return refused('program-media-type', { asked: reference.mediaType, allowed: wanted.mediaTypes })
  if (reference.bytes > wanted.bytesMax) return refused('program-too-large', { bytes: reference.bytes, max: wanted.bytesMax })
  if (!intent.program) return refused('program-missing')

  const setup = setupOfProfile(wanted)
  if (!setup.ok) return setup
  const run = programEnvelope(intent.program, setup.value, { stepsMax })
  if (!run.ok) return refused(`gcode-${run.reason}`, run.detail)
  // Every later program would be read by other offsets than those of the profile (ATTACKS 67, over two programs).
  const [left] = run.value.leaves
  if (left !== undefined) return refused('program-leaves-offsets', { left, limitOf: 'machine' })
  return (
    beyondAxes(run.value, wanted.axes) ??
    beyondLimits(run.value, wanted.limits) ??
    beyondCommand(run.value, quantities) ??
    accepted(run.value)
  )
}

function beyondAxes({ axes }: Envelope, limits: ProgramProfile['axes']) {
  for (const [axis, { min, max }] of Object.entries(axes) as [keyof Envelope['axes'], { min: number; max: number }][]) {
    const range = Object.hasOwn(limits, axis) ? limits[axis] : undefined
    if (!range) return refused('program-outside-machine', { axis, limitOf: 'machine' })
    for (const reach of [min, max]) {
      const outside = firstOutside({ [axis]: quantity(reach, axisUnit(axis)) }, [
        { limitOf: 'machine', ranges: { [axis]: range } },
      ])
      if (!outside.ok) return refused(outside.reason, outside.detail)
      if (outside.value) return refused('program-outside-machine', { ...outside.value, axis })
    }
  }
  return undefined
}

type LimitName = keyof ProgramProfile['limits']
/** What a program comes to by the names of the profile's limits. Those that `mustBeLimited` do harm by themselves: no limit is then none of it. */
const measures: readonly (readonly [
  name: LimitName,
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

function beyondLimits(envelope: Envelope, limits: ProgramProfile['limits']) {
  for (const [parameter, unit, mustBeLimited, of] of measures) {
    const reached = of(envelope)
    const range = Object.hasOwn(limits, parameter) ? limits[parameter] : undefined
    if (reached === 0) continue
    if (!range) {
      if (mustBeLimited)
        return refused('program-outside-machine', { parameter, reached: quantity(reached, unit), limitOf: 'machine' })
      continue
    }
    const outside = beyond(parameter, quantity(reached, unit), range, 'machine')
    if (outside) return outside
  }
  return undefined
}

/** What the command says of feed, spindle and power is what was granted; a program that goes beyond says one thing and does another. */
function beyondCommand(envelope: Envelope, quantities: Readonly<Record<string, Quantity>>) {
  for (const [parameter, unit, , of] of measures) {
    if (!commanded.has(parameter)) continue
    const reached = of(envelope)
    if (reached === 0) continue
    const asked = Object.hasOwn(quantities, parameter) ? quantities[parameter] : undefined
    if (!asked) return refused('program-outside-command', { parameter, reached: quantity(reached, unit), limitOf: 'command' })
    const outside = beyond(parameter, quantity(reached, unit), { max: asked.value, unit: asked.unit }, 'command')
    if (outside) return outside
  }
  return undefined
}

const commanded: ReadonlySet<LimitName> = new Set(['feed', 'spindle', 'power'])

function beyond(parameter: LimitName, reached: Quantity, range: Range, limitOf: 'machine' | 'command') {
  const outside = firstOutside({ [parameter]: reached }, [{ limitOf, ranges: { [parameter]: range } }])
  if (!outside.ok) return refused(outside.reason, outside.detail)
  return outside.value && refused(`program-outside-${limitOf}`, { ...outside.value, parameter })
}

/** Three decimals, away from zero: an envelope is never made smaller by its writing. */
function quantity(value: number, unit: string): Quantity {
  const thousandths = Math.abs(value) * 1000
  const text = (Math.sign(value) * (Math.ceil(thousandths - 1e-6) / 1000)).toFixed(3).replace(/\.?0+$/, '')
  return { value: text === '-0' ? '0' : text, unit }
}
