import fc from 'fast-check'
import { expect, test } from 'vitest'
import { compareDecimals, type Decimal, parseDecimal } from './decimal.ts'

const read = (text: string) => parseDecimal(text) as Decimal

test.each([
  '',
  '-',
  '+1',
  '01',
  '.5',
  '1.',
  '1e3',
  '0x10',
  '1_000',
  ' 5',
  '5 ',
  '１２',
  '-0',
  '-0.0',
  'NaN',
  'Infinity',
  '9'.repeat(19),
  `0.${'1'.repeat(19)}`,
])('ATTACKS 64: refuses %j as a decimal', (text) => {
  expect(parseDecimal(text)).toBeUndefined()
})

test('keeps every digit that a double would lose', () => {
  expect(compareDecimals(read('9007199254740993'), read('9007199254740992'))).toBe(1)
  expect(compareDecimals(read('0.1'), read('0.10'))).toBe(0)
  expect(compareDecimals(read('-0.5'), read('0'))).toBe(-1)
})

test('orders as numbers are ordered', () => {
  const cents = fc.integer({ min: -1_000_000, max: 1_000_000 })
  fc.assert(
    fc.property(cents, cents, (a, b) => {
      const text = (value: number) => (value / 100).toFixed(2).replace(/^-0\.00$/, '0.00')
      expect(Math.sign(compareDecimals(read(text(a)), read(text(b))))).toBe(Math.sign(a - b))
    }),
  )
})
