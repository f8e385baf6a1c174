import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { firstOutside } from './limits.ts'

const within = (value: string, range: { min?: string; max?: string; unit: string }) =>
  firstOutside({ power: { value, unit: 'W' } }, [{ limitOf: 'grant', ranges: { power: range } }])

describe('limits', () => {
  it('say what was asked, what would have been allowed, and whose limit it is', () => {
    expect(within('120', { min: '1', max: '80', unit: 'W' })).toEqual({
      ok: true,
      value: { parameter: 'power', asked: { value: '120', unit: 'W' }, nearest: { value: '80', unit: 'W' }, limitOf: 'grant' },
    })
    expect(within('0.5', { min: '1', max: '80', unit: 'W' })).toMatchObject({ value: { nearest: { value: '1' } } })
  })

  it('include their ends', () => {
    for (const value of ['1', '80', '80.0'])
      expect(within(value, { min: '1', max: '80', unit: 'W' })).toEqual({ ok: true, value: undefined })
  })

  it('are compared after conversion', () => {
    expect(within('80', { max: '0.08', unit: 'kW' })).toEqual({ ok: true, value: undefined })
    expect(within('80.1', { max: '0.08', unit: 'kW' })).toMatchObject({ value: { nearest: { value: '80', unit: 'W' } } })
  })

  it('refuse where they cannot be read: a limit that is not understood is not no limit', () => {
    expect(within('80', { max: 'many', unit: 'W' })).toMatchObject({ ok: false, reason: 'value-malformed' })
    expect(within('80', { max: '100', unit: 'horse' })).toMatchObject({ ok: false, reason: 'unit-unknown' })
    expect(within('80', { max: '100', unit: 'J' })).toMatchObject({ ok: false, reason: 'unit-mismatch' })
  })

  it('hold every number that is not within them, to the last digit', () => {
    fc.assert(
      fc.property(fc.integer({ min: -10_000, max: 10_000 }), fc.integer({ min: -10_000, max: 10_000 }), (value, max) => {
        const decimal = (hundredths: number) => String(hundredths / 100)
        const found = within(decimal(value), { max: decimal(max), unit: 'W' })
        return found.ok && (found.value !== undefined) === value > max
      }),
    )
  })
})
