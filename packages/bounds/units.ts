import { accepted, type Quantity, type Result, refused } from '@interlock/contracts'
import { add, divide, multiply, ofText, type Rational, rational, subtract, toText } from './rational.ts'
import { units } from './unit-table.ts'

export type UnitReason = 'value-malformed' | 'unit-unknown' | 'unit-mismatch' | 'value-not-exact'

/** What a rate amounts to in time: base units are such that base rate times seconds is the base amount. */
const amountsOfRates: Readonly<Record<string, string>> = {
  speed: 'length',
  'angular-speed': 'angle',
  frequency: 'ratio',
  power: 'energy',
  irradiance: 'fluence',
  'absorbed-dose-rate': 'absorbed-dose',
  'dose-equivalent-rate': 'dose-equivalent',
  'volume-flow': 'volume',
  'mass-flow': 'mass',
}

/** A quantity in its dimension's base unit. */
export type Measure = { readonly dimension: string; readonly value: Rational }

const zero = rational(0n)

/** The same quantity in another unit, exact to the last digit, or a refusal: never rounded, never assumed. */
export function convert({ value, unit: from }: Quantity, to: string): Result<Quantity, UnitReason> {
  const number = ofText(value)
  if (!number) return refused('value-malformed', { value })
  const source = units.get(from)
  const target = units.get(to)
  if (!source || !target) return refused('unit-unknown', { unit: source ? to : from })
  if (source.dimension !== target.dimension) return refused('unit-mismatch', { unit: from, wanted: to })
  const base = add(multiply(number, source.factor), source.offset ?? zero)
  const text = toText(divide(subtract(base, target.offset ?? zero), target.factor))
  return text === undefined ? refused('value-not-exact', { value, unit: from, wanted: to }) : accepted({ value: text, unit: to })
}

/** The quantity in its dimension's base unit, as an exact fraction. */
export function measureOf({ value, unit: from }: Quantity): Result<Measure, UnitReason> {
  const number = ofText(value)
  if (!number) return refused('value-malformed', { value })
  const source = units.get(from)
  if (!source) return refused('unit-unknown', { unit: from })
  return accepted({ dimension: source.dimension, value: add(multiply(number, source.factor), source.offset ?? zero) })
}

/** What a rate amounts to in a time: watts for seconds are joules. */
export function amountOfRate(rate: Quantity, time: Quantity): Result<Measure, UnitReason> {
  const [speed, duration] = [measureOf(rate), measureOf(time)]
  if (!speed.ok) return speed
  if (!duration.ok) return duration
  const dimension = amountsOfRates[speed.value.dimension]
  if (dimension === undefined || duration.value.dimension !== 'time')
    return refused('unit-mismatch', { unit: rate.unit, wanted: 'a rate', time: time.unit })
  return accepted({ dimension, value: multiply(speed.value.value, duration.value.value) })
}
