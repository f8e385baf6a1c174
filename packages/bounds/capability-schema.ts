import type { DeviceEntry, ParameterProfile } from '@interlock/contracts'
import { measureOf } from './units.ts'

/** A JSON Schema (2020-12). */
export type JsonSchema = boolean | { readonly [keyword: string]: unknown }

/**
 * What a command for this capability must look like, for orchestrators and language models to be held to before they ask: nothing unknown, nothing missing,
 * quantities as decimal text in the profile's own unit with no more digits than the machine can set. Whatever it accepts, `readParameters` accepts, and
 * nothing else in that unit; other units of the dimension are converted by the stage. Limits are in the descriptions: a grant's are narrower.
 * Undefined where the device has no such capability.
 */
export function capabilitySchema({ device, capabilities }: DeviceEntry, capability: string): JsonSchema | undefined {
  const profile = Object.hasOwn(capabilities, capability) ? capabilities[capability] : undefined
  if (!profile) return undefined
  const { description, parameters, program } = profile
  const members = {
    device: { const: device },
    capability: { const: capability },
    parameters: objectOf(
      Object.fromEntries(Object.entries(parameters).map(([name, parameter]) => [name, parameterSchema(parameter)])),
      Object.keys(parameters).filter((name) => parameters[name]?.required),
    ),
    ...(program && { program: programSchema(program) }),
  }
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: `${capability} on ${device}`,
    description,
    ...objectOf(members, Object.keys(members)),
  }
}

const objectOf = (properties: Readonly<Record<string, JsonSchema>>, required: readonly string[]) => ({
  type: 'object',
  properties,
  required,
  additionalProperties: false,
})

function parameterSchema(parameter: ParameterProfile): JsonSchema {
  if (parameter.kind === 'choice') return { enum: parameter.values }
  const { limits, decimals } = parameter
  // A unit that nobody understands lets nothing pass.
  if (!measureOf({ value: '0', unit: limits.unit }).ok) return false
  const { min, max, unit } = limits
  const ends = [...(min === undefined ? [] : [`from ${min}`]), ...(max === undefined ? [] : [`to ${max}`])]
  const value = { type: 'string', pattern: decimalPattern(decimals) }
  return {
    description: `${[...ends, unit].join(' ')} (the machine’s limits), at most ${decimals} decimals`,
    ...objectOf({ value, unit: { const: unit } }, ['value', 'unit']),
  }
}

/** Decimal text (packages/contracts/decimal.ts) with this many decimals that count; zeros behind them do not. */
const decimalPattern = (decimals: number) => `^(?!-0(?:\\.0+)?$)-?(?:0|[1-9]\\d{0,17})(?:\\.(?=\\d{1,18}$)\\d{0,${decimals}}0*)?$`

function programSchema({ mediaTypes, bytesMax }: NonNullable<DeviceEntry['capabilities'][string]['program']>): JsonSchema {
  return objectOf(
    {
      mediaType: { enum: mediaTypes },
      sha256: { type: 'string', pattern: '^[A-Za-z0-9_-]{43}$' },
      bytes: { type: 'integer', minimum: 1, maximum: bytesMax },
    },
    ['mediaType', 'sha256', 'bytes'],
  )
}
