import {
  accepted,
  type ParameterProfile,
  parseDecimal,
  type Quantity,
  quantitySchema,
  type Result,
  refused,
} from '@interlock/contracts'
import { convert, type UnitReason } from './units.ts'

export type ParameterReason =
  | UnitReason
  | 'parameter-unknown'
  | 'parameter-missing'
  | 'parameter-malformed'
  | 'parameter-not-a-choice'
  | 'value-too-precise'

/**
 * Reads a command's parameters by the capability's profile: each known, none missing, of the right type, quantities converted to the profile's unit.
 * Types come before any rule: to a policy `null`, `true` and `"99999"` may all be small enough (ATTACKS 61, 62, 74).
 */
export function readParameters(
  parameters: Readonly<Record<string, unknown>>,
  profile: Readonly<Record<string, ParameterProfile>>,
): Result<Record<string, Quantity>, ParameterReason> {
  const unknown = Object.keys(parameters).find((name) => !Object.hasOwn(profile, name))
  if (unknown !== undefined) return refused('parameter-unknown', { parameter: unknown, known: Object.keys(profile) })
  const quantities: Record<string, Quantity> = {}
  for (const [name, wanted] of Object.entries(profile)) {
    if (!Object.hasOwn(parameters, name)) {
      if (wanted.required) return refused('parameter-missing', { parameter: name })
      continue
    }
    const value = parameters[name]
    if (wanted.kind === 'choice') {
      if (typeof value === 'string' && wanted.values.includes(value)) continue
      return refused('parameter-not-a-choice', { parameter: name, choices: wanted.values })
    }
    const read = readQuantity(value, wanted)
    if (!read.ok) return refused(read.reason, { ...read.detail, parameter: name })
    quantities[name] = read.value
  }
  return accepted(quantities)
}

function readQuantity(
  value: unknown,
  { limits, decimals }: Extract<ParameterProfile, { kind: 'quantity' }>,
): Result<Quantity, ParameterReason> {
  const parsed = quantitySchema.safeParse(value)
  if (!parsed.success) return refused('parameter-malformed', { wanted: `{"value":"<decimal>","unit":"${limits.unit}"}` })
  const converted = convert(parsed.data, limits.unit)
  if (!converted.ok) return converted
  // Digits that the machine cannot set would be rounded by it, away from what was checked.
  const scale = parseDecimal(converted.value.value)?.scale ?? 0
  return scale > decimals ? refused('value-too-precise', { value: converted.value.value, decimals }) : converted
}
