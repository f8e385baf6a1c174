import { accepted, type Quantity, type Result, refused } from '@interlock/contracts'
import { add, divide, multiply, ofText, type Rational, rational, subtract, toText } from './rational.ts'

export type UnitReason = 'value-malformed' | 'unit-unknown' | 'unit-mismatch' | 'value-not-exact'

/** A value in the unit times `factor`, plus `offset`, is the value in its dimension's base unit. */
type Unit = { readonly dimension: string; readonly factor: Rational; readonly offset?: Rational }

const unit = (dimension: string, numerator: bigint, denominator = 1n): Unit => ({
  dimension,
  factor: rational(numerator, denominator),
})

/**
 * UCUM codes that are understood, case-sensitive as UCUM's are ("mW" is no "MW"). Closed: an unknown unit is refused, never assumed. Angles in
 * radians are not here: they convert by π, which no decimal is.
 */
const units: ReadonlyMap<string, Unit> = new Map(
  Object.entries({
    // length, base mm
    um: unit('length', 1n, 1000n),
    mm: unit('length', 1n),
    cm: unit('length', 10n),
    m: unit('length', 1000n),
    '[in_i]': unit('length', 254n, 10n),
    '[ft_i]': unit('length', 3048n, 10n),
    // speed, base mm/min
    'mm/s': unit('speed', 60n),
    'mm/min': unit('speed', 1n),
    'cm/s': unit('speed', 600n),
    'm/s': unit('speed', 60_000n),
    'm/min': unit('speed', 1000n),
    '[in_i]/min': unit('speed', 254n, 10n),
    '[in_i]/s': unit('speed', 1524n),
    // power, base W
    mW: unit('power', 1n, 1000n),
    W: unit('power', 1n),
    'J/s': unit('power', 1n),
    kW: unit('power', 1000n),
    MW: unit('power', 1_000_000n),
    // energy, base J
    mJ: unit('energy', 1n, 1000n),
    J: unit('energy', 1n),
    kJ: unit('energy', 1000n),
    'W.s': unit('energy', 1n),
    'W.h': unit('energy', 3600n),
    'kW.h': unit('energy', 3_600_000n),
    // time, base ms
    ms: unit('time', 1n),
    s: unit('time', 1000n),
    min: unit('time', 60_000n),
    h: unit('time', 3_600_000n),
    // turns and cycles, base /min
    '/min': unit('frequency', 1n),
    '1/min': unit('frequency', 1n),
    '/s': unit('frequency', 60n),
    '1/s': unit('frequency', 60n),
    Hz: unit('frequency', 60n),
    kHz: unit('frequency', 60_000n),
    // temperature, base K
    K: unit('temperature', 1n),
    Cel: { ...unit('temperature', 1n), offset: rational(27_315n, 100n) },
    // angle, base deg
    deg: unit('angle', 1n),
    "'": unit('angle', 1n, 60n),
    // mass, base g
    mg: unit('mass', 1n, 1000n),
    g: unit('mass', 1n),
    kg: unit('mass', 1000n),
    // pressure, base Pa
    Pa: unit('pressure', 1n),
    kPa: unit('pressure', 1000n),
    bar: unit('pressure', 100_000n),
    // ratio
    '1': unit('ratio', 1n),
    '%': unit('ratio', 1n, 100n),
  }),
)

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
