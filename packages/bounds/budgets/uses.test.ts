import type { Use } from '@interlock/contracts'
import { describe, expect, it } from 'vitest'
import { commands, limitOf, quantityOf } from './amount.ts'
import { usedOf } from './reported.ts'
import { type Measured, usesAtMost } from './uses.ts'

const measured: Measured = {
  quantities: { power: { value: '60', unit: 'W' }, dwell: { value: '2', unit: 's' }, flow: { value: '1', unit: 'mL/min' } },
  orderMs: 75_000,
  program: { travel: { value: '1234.5', unit: 'mm' }, time: { value: '0.5', unit: 'min' } },
}
const most = (name: 'energy' | 'travel' | 'time' | 'dose' | 'material', use: Use, by = measured) => {
  const used = usesAtMost({ [name]: use }, by)
  if (!used.ok) return used.reason
  const amount = used.value[name]
  return amount && quantityOf(amount)
}

describe('what a command uses at most', () => {
  it('is a power for as long as the order may last', () =>
    expect(most('energy', { by: 'rate', parameter: 'power', during: 'order' })).toEqual({ value: '4500', unit: 'J' }))
  it('or as long as a parameter says', () =>
    expect(most('energy', { by: 'rate', parameter: 'power', during: { parameter: 'dwell' } })).toEqual({
      value: '120',
      unit: 'J',
    }))
  it('or as long as the program', () =>
    expect(most('energy', { by: 'rate', parameter: 'power', during: 'program' })).toEqual({ value: '1800', unit: 'J' }))
  it('is what the program moves', () => expect(most('travel', { by: 'program' })).toEqual({ value: '1234.5', unit: 'mm' }))
  it('is a parameter, a time, or always the same', () => {
    expect(most('time', { by: 'amount', parameter: 'dwell' })).toEqual({ value: '2', unit: 's' })
    expect(most('time', { by: 'time', during: 'order' })).toEqual({ value: '75', unit: 's' })
    expect(most('dose', { by: 'fixed', value: '1.5', unit: 'mGy' })).toEqual({ value: '0.0015', unit: 'Gy' })
  })
  it('is rounded up where no decimal is exact, a limit down', () => {
    const third = most('material', { by: 'rate', parameter: 'flow', during: { parameter: 'dwell' } })
    expect(third).toEqual({ value: '33.333333333333333334', unit: 'mm3' })
    const limit = limitOf('material', { value: '1', unit: 'mL' })
    expect(limit.ok && quantityOf(limit.value)).toEqual({ value: '1000', unit: 'mm3' })
  })

  it.each([
    ['of a parameter that was not given', 'use-unknown', 'energy', { by: 'amount', parameter: 'charge' }],
    ['of a program that says nothing of it', 'use-unknown', 'material', { by: 'program' }],
    ['in another dimension', 'unit-mismatch', 'energy', { by: 'amount', parameter: 'dwell' }],
    ['of what is no rate', 'unit-mismatch', 'energy', { by: 'rate', parameter: 'dwell', during: 'order' }],
    ['for what is no time', 'unit-mismatch', 'energy', { by: 'rate', parameter: 'power', during: { parameter: 'power' } }],
    ['less than nothing', 'amount-negative', 'energy', { by: 'fixed', value: '-1', unit: 'J' }],
    ['more than can be', 'amount-too-large', 'energy', { by: 'fixed', value: '1000001', unit: 'MJ' }],
    ['in no unit', 'unit-unknown', 'energy', { by: 'fixed', value: '1', unit: 'Joule' }],
  ] as const)('is refused: %s', (_what, reason, name, use) => expect(most(name, use)).toBe(reason))
})

describe('what a device says that it used', () => {
  const reserved = { dimension: 'energy', scaled: 4500n * 10n ** 18n }
  const reporting = { energy: { member: 'energyJoules', unit: 'J' } }
  const used = (energyJoules: unknown) =>
    quantityOf({ dimension: 'energy', scaled: usedOf('energy', reserved, reporting, { energyJoules }) }).value

  it.each([
    [1200.5, '1200.5'],
    ['0.1', '0.1'],
    [0, '0'],
    [5000, '5000'],
  ])('%s J is charged, also where it is more than was reserved', (said, charged) => expect(used(said)).toBe(charged))

  it.each([true, '-3', -3, 1e-7, 'much', null])('%j gives nothing back', (said) => expect(used(said)).toBe('4500'))

  it('gives nothing back where it says nothing, or in another dimension', () => {
    expect(usedOf('energy', reserved, reporting, {})).toBe(reserved.scaled)
    expect(usedOf('energy', reserved, { energy: { member: 'said', unit: 's' } }, { said: 1 })).toBe(reserved.scaled)
    expect(usedOf('count', commands(1), reporting, {})).toBe(10n ** 18n)
  })
})
