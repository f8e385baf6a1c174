import { type Envelope, firstOutside, type LimitReason, type ProgramReason, programEnvelope } from '@interlock/bounds'
import { accepted, type DeviceEntry, type Quantity, type Range, type Result, refused } from '@interlock/contracts'
import type { StageInput } from '@interlock/enforcer'

export type ProgramCheckReason =
  | `gcode-${ProgramReason}`
  | LimitReason
  | 'program-missing'
  | 'program-unexpected'
  | 'program-media-type'
  | 'program-too-large'
  | 'program-outside-machine'
  | 'program-outside-command'

type Capability = DeviceEntry['capabilities'][string]

/**
 * Runs the program to the envelope it stays in, and checks the envelope: the machine's axes, and the feed and spindle speed that the command itself
 * asks for, which the grant limits. Undefined where the capability takes no program.
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

  const run = programEnvelope(intent.program)
  if (!run.ok) return refused(`gcode-${run.reason}`, run.detail)
  const beyond = beyondMachine(run.value, wanted.axes) ?? beyondCommand(run.value, quantities)
  return beyond ?? accepted(run.value)
}

function beyondMachine({ axes }: Envelope, limits: Readonly<Record<string, Range>>) {
  for (const [axis, { min, max }] of Object.entries(axes)) {
    const range = Object.hasOwn(limits, axis) ? limits[axis] : undefined
    if (!range) return refused('program-outside-machine', { axis, limitOf: 'machine' })
    for (const reach of [min, max]) {
      const outside = firstOutside({ [axis]: millimetres(reach) }, [{ limitOf: 'machine', ranges: { [axis]: range } }])
      if (!outside.ok) return refused(outside.reason, outside.detail)
      if (outside.value) return refused('program-outside-machine', { ...outside.value, axis })
    }
  }
  return undefined
}

/** What the command says of feed and spindle is what was granted; a program that goes beyond says one thing and does another. */
function beyondCommand({ feedMax, spindleMax }: Envelope, quantities: Readonly<Record<string, Quantity>>) {
  for (const [parameter, reached, unit] of [
    ['feed', feedMax, 'mm/min'],
    ['spindle', spindleMax, '/min'],
  ] as const) {
    if (reached === 0) continue
    const asked = quantities[parameter]
    if (!asked) return refused('program-outside-command', { parameter, reached })
    const ranges = { [parameter]: { max: asked.value, unit: asked.unit } }
    const outside = firstOutside({ [parameter]: { value: decimal(reached), unit } }, [{ limitOf: 'command', ranges }])
    if (!outside.ok) return refused(outside.reason, outside.detail)
    if (outside.value) return refused('program-outside-command', { ...outside.value, parameter })
  }
  return undefined
}

const millimetres = (value: number): Quantity => ({ value: decimal(value), unit: 'mm' })

/** Three decimals, up: an envelope is never made smaller by its writing. */
const decimal = (value: number): string => {
  const text = (Math.ceil(value * 1000 - 1e-6) / 1000).toFixed(3).replace(/\.?0+$/, '')
  return text === '-0' ? '0' : text
}
