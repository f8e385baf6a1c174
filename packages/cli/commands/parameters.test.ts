import { expect, test } from 'vitest'
import { CliError } from '../cli-error.ts'
import { readParameters } from './parameters.ts'

test('reads quantities with the digits as typed, and words', () => {
  expect(
    readParameters(['--power', '80.50W', '--speed=20mm/s', '--focus', '-1.5mm', '--spindle', '12000/min', '--assistGas', 'air']),
  ).toEqual({
    power: { value: '80.50', unit: 'W' },
    speed: { value: '20', unit: 'mm/s' },
    focus: { value: '-1.5', unit: 'mm' },
    spindle: { value: '12000', unit: '/min' },
    assistGas: 'air',
  })
})

test.each([
  [['--power', '80'], /has no unit/],
  [['--power'], /has no value/],
  [['power', '80W'], /is no parameter/],
  [['--power', '80W', '--power', '90W'], /given twice/],
  [['--power', '80 W W'], /has no unit/],
])('refuses %j and says what to write', (words, message) => {
  expect(() => readParameters(words)).toThrow(CliError)
  expect(() => readParameters(words)).toThrow(message)
})
