import type { DeviceEntry, ParameterProfile } from '@interlock/contracts'
import { Ajv2020 } from 'ajv/dist/2020.js'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { capabilitySchema, type JsonSchema } from './capability-schema.ts'
import { readParameters } from './parameters.ts'

const ajv = new Ajv2020({ allErrors: false })
const capabilityOf = (parameters: Record<string, ParameterProfile>) =>
  ({
    device: 'laser-1',
    capabilities: { 'laser.cut': { description: 'Cuts', risk: 'low', parameters } },
  }) as unknown as DeviceEntry
const accepts = (entry: DeviceEntry, command: unknown) =>
  ajv.validate(capabilitySchema(entry, 'laser.cut') as JsonSchema, command)
const commandOf = (parameters: unknown) => ({ device: 'laser-1', capability: 'laser.cut', parameters })

const profile: Record<string, ParameterProfile> = {
  power: { kind: 'quantity', limits: { min: '1', max: '120', unit: 'W' }, required: true, decimals: 1 },
  assistGas: { kind: 'choice', values: ['none', 'air'], required: false },
}
const power = { value: '60.5', unit: 'W' }

describe('the JSON Schema of a capability', () => {
  it.each([
    ['what is well formed', { power }, true],
    ['zeros behind the last decimal that counts', { power: { value: '60.5000', unit: 'W' } }, true],
    ['a choice', { power, assistGas: 'air' }, true],
    ['attack 74: a member that nobody knows', { power, override: true }, false],
    ['attack 74: a further member in a quantity', { power: { ...power, override: true } }, false],
    ['a missing one', {}, false],
    ['attack 61: null', { power: null }, false],
    ['attack 62: a text', { power: '99999' }, false],
    ['attack 63: NaN', { power: { value: 'NaN', unit: 'W' } }, false],
    ['attack 63: minus zero', { power: { value: '-0.0', unit: 'W' } }, false],
    ['attack 64: an exponent', { power: { value: '1e400', unit: 'W' } }, false],
    ['attack 64: full-width digits', { power: { value: '５', unit: 'W' } }, false],
    ['attack 64: a line end', { power: { value: '60\n', unit: 'W' } }, false],
    ['attack 66: another dimension', { power: { value: '60', unit: 'J' } }, false],
    ['more digits than the machine can set', { power: { value: '60.25', unit: 'W' } }, false],
    ['a choice that is none', { power, assistGas: 'oxygen' }, false],
  ])('accepts or refuses %s as the stage does', (_what, parameters, expected) => {
    expect(accepts(capabilityOf(profile), commandOf(parameters))).toBe(expected)
    expect(readParameters(parameters, profile).ok).toBe(expected)
  })

  it('names device and capability, and a program where one goes with it', () => {
    const entry = capabilityOf(profile)
    expect(accepts(entry, { ...commandOf({ power }), device: 'laser-2' })).toBe(false)
    expect(accepts(entry, { ...commandOf({ power }), override: true })).toBe(false)
    const program = {
      mediaTypes: ['text/x-gcode'],
      bytesMax: 1000,
      axes: {},
      machine: { dialect: 'rs274' as const, motion: {} },
      limits: {},
    }
    const capabilities = { 'laser.cut': { ...entry.capabilities['laser.cut'], program } } as DeviceEntry['capabilities']
    const milling = { ...entry, capabilities }
    const reference = { mediaType: 'text/x-gcode', sha256: 'a'.repeat(43), bytes: 1000 }
    expect(accepts(milling, commandOf({ power }))).toBe(false)
    expect(accepts(milling, { ...commandOf({ power }), program: reference })).toBe(true)
    expect(accepts(milling, { ...commandOf({ power }), program: { ...reference, bytes: 1001 } })).toBe(false)
    expect(accepts(milling, { ...commandOf({ power }), program: { ...reference, mediaType: 'text/plain' } })).toBe(false)
  })

  it('lets nothing pass where the profile has a unit that nobody understands, and is none of what the device does not have', () => {
    const odd = { power: { kind: 'quantity' as const, limits: { unit: 'horse' }, required: true, decimals: 0 } }
    expect(accepts(capabilityOf(odd), commandOf({ power: { value: '1', unit: 'horse' } }))).toBe(false)
    expect(capabilitySchema(capabilityOf(profile), 'constructor')).toBeUndefined()
  })

  it('and what reads a command agree on everything in the profile’s units', () => {
    const units = ['W', 'mm/min', 'Cel', '1', 'deg', '[in_i]', 'horse']
    const profiles = fc.dictionary(
      fc.constantFrom('power', 'speed', 'gas', 'focus'),
      fc.oneof(
        fc.record({
          kind: fc.constant('quantity' as const),
          limits: fc.record({ unit: fc.constantFrom(...units) }),
          required: fc.boolean(),
          decimals: fc.nat(12),
        }),
        fc.record({ kind: fc.constant('choice' as const), values: fc.constant(['none', 'air']), required: fc.boolean() }),
      ),
    )
    const decimal = fc.oneof(
      fc
        .tuple(fc.integer({ min: -99, max: 999 }), fc.stringMatching(/^(\.\d{1,20})?$/))
        .map(([whole, rest]) => `${whole}${rest}`),
      fc.stringMatching(/^-?\d{1,20}(\.\d{0,14}0{0,6})?$/),
      fc.constantFrom('', '-0', '-0.00', '01', '1.', '.5', '+1', '1e3', ' 1', 'NaN', 'Infinity', '0x1', '1\n'),
    )
    const value = fc.oneof(
      { weight: 6, arbitrary: fc.record({ value: decimal, unit: fc.constant('own') }) },
      { weight: 2, arbitrary: fc.constantFrom('none', 'air', 'oxygen') },
      { weight: 1, arbitrary: fc.jsonValue() as fc.Arbitrary<unknown> },
      {
        weight: 1,
        arbitrary: fc.record({ value: decimal, unit: fc.constant('own'), more: fc.boolean() }, { requiredKeys: ['value'] }),
      },
    )
    const given = fc.dictionary(fc.constantFrom('power', 'speed', 'gas', 'focus', 'override'), value)
    fc.assert(
      fc.property(profiles, fc.array(given, { minLength: 40, maxLength: 40 }), (dictionary, commands) => {
        const wanted = dictionary as Record<string, ParameterProfile>
        const isAccepted = new Ajv2020().compile(capabilitySchema(capabilityOf(wanted), 'laser.cut') as object)
        for (const parameters of structuredClone(commands) as Record<string, unknown>[]) {
          for (const [name, each] of Object.entries(parameters)) {
            const parameter = wanted[name]
            if (typeof each === 'object' && each !== null && 'unit' in each && each.unit === 'own')
              each.unit = parameter?.kind === 'quantity' ? parameter.limits.unit : 'W'
          }
          expect([isAccepted(commandOf(parameters)), parameters]).toEqual([readParameters(parameters, wanted).ok, parameters])
        }
      }),
      { numRuns: 60 },
    )
  })
})
