import { accepted, type BudgetName, type Quantity, type Result, refused } from '@interlock/contracts'
import { compare, multiply, rational, toText } from '../rational.ts'
import { type Measure, measureOf, type UnitReason } from '../units.ts'

/** What is charged: the budgets, and how many commands. */
export type ChargeName = BudgetName | 'count'

/** Part of a budget, in 10^-18 of its dimension's base unit: sums of whole numbers are exact and do not grow. */
export type Amount = { readonly dimension: string; readonly scaled: bigint }
export type Amounts = Readonly<Partial<Record<ChargeName, Amount>>>

export type AmountReason = UnitReason | 'amount-negative' | 'amount-too-large'

const scale = 10n ** 18n
/** In base units: what no machine uses. Keeps every sum readable as decimal text. */
const most = rational(10n ** 12n)

/** Dimensions that each may have: a dose may be absorbed, equivalent or light on an area, material may be weighed, measured or drawn from a coil. */
const dimensions: Readonly<Record<ChargeName, readonly string[]>> = {
  energy: ['energy'],
  travel: ['length', 'angle'],
  dose: ['absorbed-dose', 'dose-equivalent', 'fluence'],
  material: ['volume', 'mass', 'length'],
  time: ['time'],
  count: ['ratio'],
}

const baseUnits: Readonly<Record<string, string>> = {
  energy: 'J',
  length: 'mm',
  angle: 'deg',
  'absorbed-dose': 'Gy',
  'dose-equivalent': 'Sv',
  fluence: 'J/cm2',
  volume: 'mm3',
  mass: 'g',
  time: 's',
  ratio: '1',
}

/** `n` commands. */
export const commands = (n: number): Amount => ({ dimension: 'ratio', scaled: BigInt(n) * scale })

/** A use, rounded up where it has more digits than are counted. */
export function useOf(name: ChargeName, measure: Measure): Result<Amount, AmountReason> {
  return amountOf(name, measure, 'up')
}

/** A limit, rounded down. */
export function limitOf(name: ChargeName, quantity: Quantity): Result<Amount, AmountReason> {
  const measure = measureOf(quantity)
  return measure.ok ? amountOf(name, measure.value, 'down') : measure
}

function amountOf(name: ChargeName, { dimension, value }: Measure, rounding: 'up' | 'down'): Result<Amount, AmountReason> {
  if (!dimensions[name].includes(dimension)) return refused('unit-mismatch', { budget: name, dimension })
  if (value.numerator < 0n) return refused('amount-negative', { budget: name })
  if (compare(value, most) > 0) return refused('amount-too-large', { budget: name })
  const { numerator, denominator } = multiply(value, rational(scale))
  const carried = rounding === 'up' ? denominator - 1n : 0n
  return accepted({ dimension, scaled: (numerator + carried) / denominator })
}

/** As text in the base unit, exact. */
export function quantityOf({ dimension, scaled }: Amount): Quantity {
  return { value: toText(rational(scaled, scale)) ?? '0', unit: baseUnits[dimension] ?? '1' }
}

/** Amounts as `quantityOf` wrote them. What cannot be read is left out: nothing passes by an amount that is not there. */
export const amountsOf = (quantities: Readonly<Record<string, Quantity>>): Amounts =>
  Object.fromEntries(
    (Object.entries(quantities) as [ChargeName, Quantity][]).flatMap(([name, { value, unit }]) => {
      const measure = Object.hasOwn(dimensions, name) ? measureOf({ value, unit }) : undefined
      const amount = measure?.ok ? useOf(name, measure.value) : undefined
      return amount?.ok ? [[name, amount.value]] : []
    }),
  )
