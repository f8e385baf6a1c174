import { accepted, type ProgramProfile, type Range, type Result, refused } from '@interlock/contracts'
import { type AxisName, axisNames, isRotary } from './gcode/axes.ts'
import type { AxisSetup, MachineSetup } from './gcode/machine-setup.ts'
import { convert } from './units.ts'

export type ProfileReason = 'profile-malformed'

/** How an axis is measured: UCUM. */
export const axisUnit = (axis: AxisName): 'mm' | 'deg' => (isRotary(axisNames.indexOf(axis)) ? 'deg' : 'mm')

/** The machine that a device's profile describes, for `programEnvelope`. An axis needs both its ends and what it can do. */
export function setupOfProfile({ axes, machine }: ProgramProfile): Result<MachineSetup, ProfileReason> {
  const { motion, workOffsets, ...rest } = machine
  const known: Partial<Record<AxisName, AxisSetup>> = {}
  for (const [name, range] of Object.entries(axes) as [AxisName, Range][]) {
    const able = motion[name]
    const min = numberIn(range.min, range.unit, axisUnit(name))
    const max = numberIn(range.max, range.unit, axisUnit(name))
    if (!able || min === undefined || max === undefined || !(min < max))
      return refused('profile-malformed', { axis: name, limitOf: 'machine' })
    known[name] = { min, max, ...able }
  }
  const setup = { ...rest, axes: known, ...(workOffsets && { workOffsets }) }
  return accepted(withoutUndefined(setup) as MachineSetup)
}

function numberIn(value: string | undefined, unit: string, wanted: string): number | undefined {
  const converted = value === undefined ? undefined : convert({ value, unit }, wanted)
  return converted?.ok ? Number(converted.value.value) : undefined
}

/** An optional member that is there and undefined is absent. */
const withoutUndefined = (object: object): object =>
  Object.fromEntries(Object.entries(object).filter(([, value]) => value !== undefined))
