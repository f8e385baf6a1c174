import type { ParameterProfile } from '@interlock/contracts'
import { describe, expect, it } from 'vitest'
import { readParameters } from './parameters.ts'

const profile: Record<string, ParameterProfile> = {
  power: { kind: 'quantity', limits: { min: '1', max: '120', unit: 'W' }, required: true, decimals: 1 },
  focus: { kind: 'quantity', limits: { min: '-5', max: '5', unit: 'mm' }, required: false, decimals: 2 },
  assistGas: { kind: 'choice', values: ['none', 'air'], required: false },
}
const power = { value: '60', unit: 'W' }

describe('a command’s parameters', () => {
  it('are read in the units of the profile', () => {
    const read = readParameters({ power: { value: '60500', unit: 'mW' }, assistGas: 'air' }, profile)
    expect(read).toEqual({ ok: true, value: { power: { value: '60.5', unit: 'W' } } })
  })

  it.each([
    ['attack 74: a member that nobody knows', { power, override: true }, 'parameter-unknown'],
    ['attack 74: a name that every object has', { power, constructor: power }, 'parameter-unknown'],
    ['a missing one', {}, 'parameter-missing'],
    ['attack 61: null', { power: null }, 'parameter-malformed'],
    ['attack 61: true', { power: true }, 'parameter-malformed'],
    ['attack 62: a text', { power: '99999' }, 'parameter-malformed'],
    ['attack 62: an array', { power: [9e9] }, 'parameter-malformed'],
    ['attack 62: another object', { power: { a: 1 } }, 'parameter-malformed'],
    ['a bare number', { power: 60 }, 'parameter-malformed'],
    ['a number where the value is text', { power: { value: 60, unit: 'W' } }, 'parameter-malformed'],
    ['a quantity without its unit', { power: { value: '60' } }, 'parameter-malformed'],
    ['a further member in a quantity', { power: { ...power, override: true } }, 'parameter-malformed'],
    ['attack 66: the right number in the wrong unit', { power: { value: '60', unit: 'J' } }, 'unit-mismatch'],
    ['more digits than the machine can set', { power: { value: '60.25', unit: 'W' } }, 'value-too-precise'],
    ['a choice that is none', { power, assistGas: 'oxygen' }, 'parameter-not-a-choice'],
    ['a choice that is no text', { power, assistGas: ['air'] }, 'parameter-not-a-choice'],
  ])('are refused with %s', (_name, parameters, reason) => {
    expect(readParameters(parameters, profile)).toMatchObject({ ok: false, reason })
  })
})
