import { parseDecimal } from '@interlock/contracts'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { QuantityError, quantity } from './quantity.ts'

test.each([
  [80, undefined, '80'],
  ['80.50', undefined, '80.50'],
  [0.1 + 0.2, 1, '0.3'],
  [-12.5, 2, '-12.50'],
  [-0.001, 2, '0.00'],
] as const)('writes %s with %s decimals as %s', (value, decimals, text) => {
  expect(quantity(value, 'W', decimals)).toEqual({ value: text, unit: 'W' })
})

test.each([12.5, Number.NaN, Number.POSITIVE_INFINITY, -0, 1e300, 2 ** 53])('asks what is meant by %s', (value) => {
  expect(() => quantity(value, 'W')).toThrow(QuantityError)
})

test('writes only decimals that the stages can read', () => {
  fc.assert(
    fc.property(fc.double({ noNaN: true, min: -9e15, max: 9e15 }), fc.integer({ min: 0, max: 12 }), (value, decimals) => {
      expect(parseDecimal(quantity(value, 'mm', decimals).value)).toBeDefined()
    }),
  )
})
