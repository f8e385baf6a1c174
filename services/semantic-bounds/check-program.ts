import {
  type Envelope,
  measuresOf,
  type ProfileReason,
  type ProgramReason,
  programEnvelope,
  setupOfProfile,
  type WithinReason,
  withinCommand,
  withinProfile,
} from '@interlock/bounds'
import { accepted, type BudgetName, type DeviceEntry, type Quantity, type Result, refused } from '@interlock/contracts'
import type { StageInput } from '@interlock/enforcer'

export type ProgramCheckReason =
  | `gcode-${ProgramReason}`
  | ProfileReason
  | WithinReason
  | 'program-missing'
  | 'program-unexpected'
  | 'program-media-type'
  | 'program-too-large'

type Capability = DeviceEntry['capabilities'][string]

/** Blocks that one decision may run, as many as 50 MB hold: what comes behind it in its partition waits for two seconds, ten at the very worst. */
const stepsMax = 2_000_000

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
  const within = withinProfile(run.value, wanted)
  return within.ok ? withinCommand(run.value, quantities) : within
}

/** What a program would use at most of each budget, by the envelope it stays in; nothing where there is no program. */
export function usesOfProgram(envelope: Envelope | undefined): Partial<Record<BudgetName, Quantity>> {
  if (!envelope) return {}
  const { energy, travel, time, material } = measuresOf(envelope)
  return { energy, travel, time, material }
}
