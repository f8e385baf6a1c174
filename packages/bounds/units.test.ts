import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { convert } from './units.ts'

describe('conversion of quantities', () => {
  it.each([
    ['80', 'W', 'mW', '80000'],
    ['3500', 'mW', 'W', '3.5'],
    ['1', '[in_i]', 'mm', '25.4'],
    ['60', '[in_i]/min', 'mm/s', '25.4'],
    ['20', 'mm/s', 'mm/min', '1200'],
    ['200', 'Hz', '/min', '12000'],
    ['37', 'Cel', 'K', '310.15'],
    ['-273.15', 'Cel', 'K', '0'],
    ['60', 'J/s', 'W', '60'],
    ['12.50', '%', '1', '0.125'],
    ['1', 'kJ', 'W.s', '1000'],
    ['1', 'kW.h', 'J', '3600000'],
    ['1.5', 'mL', 'mm3', '1500'],
    ['2', 'cm3', 'mL', '2'],
    ['6', 'mL/min', 'mm3/s', '100'],
    ['250', 'cGy', 'Gy', '2.5'],
    ['1', 'Gy/min', 'Gy/h', '60'],
    ['20', 'mSv', 'Sv', '0.02'],
    ['500', 'mJ/cm2', 'J/cm2', '0.5'],
    ['212', '[degF]', 'Cel', '100'],
    ['6', 'K/min', 'K/s', '0.1'],
    ['90', 'deg/s', 'deg/min', '5400'],
    ['3600', "''", 'deg', '1'],
    ['9.81', 'm/s2', 'mm/s2', '9810'],
    ['2500', 'N.mm', 'N.m', '2.5'],
    ['1.5', 'MPa', 'bar', '15'],
    ['12', 'kV', 'V', '12000'],
    ['1', 'm2', 'cm2', '10000'],
  ])('%s %s is %s %s, exactly', (value, unit, wanted, expected) => {
    const converted = convert({ value, unit }, wanted)
    expect(converted).toEqual({ ok: true, value: { value: expected, unit: wanted } })
  })

  it.each([
    ['attack 66: another dimension', '60', 'J', 'W', 'unit-mismatch'],
    ['a unit that nobody knows', '60', 'horse', 'W', 'unit-unknown'],
    ['attack 66: the case of a unit counts', '60', 'w', 'W', 'unit-unknown'],
    ['gray for sievert, though both are J/kg', '1', 'Gy', 'Sv', 'unit-mismatch'],
    ['a power for an energy', '1', 'W', 'W.s', 'unit-mismatch'],
    ['a degree that may be of temperature or of angle', '1', 'deg', 'Cel', 'unit-mismatch'],
    ['a name that every object has', '1', 'constructor', 'W', 'unit-unknown'],
    ['radians, which no decimal is', '1', 'rad', 'deg', 'unit-unknown'],
    ['a number that the wanted unit cannot write', '1', 'mm/min', 'mm/s', 'value-not-exact'],
    ['attack 64: an exponent', '1e400', 'W', 'W', 'value-malformed'],
    ['attack 64: hexadecimal', '0x10', 'W', 'W', 'value-malformed'],
    ['attack 64: an underscore', '1_000', 'W', 'W', 'value-malformed'],
    ['attack 64: a blank', ' 5', 'W', 'W', 'value-malformed'],
    ['attack 64: full-width digits', '５', 'W', 'W', 'value-malformed'],
    ['attack 63: not a number', 'NaN', 'W', 'W', 'value-malformed'],
    ['attack 63: infinity', 'Infinity', 'W', 'W', 'value-malformed'],
    ['attack 63: minus zero', '-0', 'W', 'W', 'value-malformed'],
  ])('refuses %s', (_name, value, unit, wanted, reason) => {
    expect(convert({ value, unit }, wanted)).toMatchObject({ ok: false, reason })
  })

  it('attack 64: keeps each digit of 9007199254740993, which a double does not', () => {
    expect(convert({ value: '9007199254740993', unit: 'W' }, 'mW')).toMatchObject({ value: { value: '9007199254740993000' } })
  })

  it('comes back to the same number from every unit of a dimension', () => {
    const lengths = ['um', 'mm', 'cm', 'm', '[in_i]', '[ft_i]']
    fc.assert(
      fc.property(fc.integer({ min: -1_000_000, max: 1_000_000 }), fc.constantFrom(...lengths), (micrometres, unit) => {
        const start = { value: String(micrometres * 254), unit: 'um' }
        const there = convert(start, unit)
        // Feet of micrometres may have no finite decimal; what has one comes back.
        if (!there.ok) return there.reason === 'value-not-exact'
        const back = convert(there.value, 'um')
        return back.ok && back.value.value === start.value
      }),
    )
  })
})
