import { type Decimal, parseDecimal } from '@interlock/contracts'

/** An exact fraction; the denominator is positive. */
export type Rational = { readonly numerator: bigint; readonly denominator: bigint }

export const rational = (numerator: bigint, denominator = 1n): Rational => ({ numerator, denominator })

export const ofDecimal = ({ digits, scale }: Decimal): Rational => rational(digits, 10n ** BigInt(scale))

/** Undefined for what is no decimal text (packages/contracts/decimal.ts). */
export function ofText(text: string): Rational | undefined {
  const decimal = parseDecimal(text)
  return decimal && ofDecimal(decimal)
}

export const add = (a: Rational, b: Rational): Rational =>
  rational(a.numerator * b.denominator + b.numerator * a.denominator, a.denominator * b.denominator)
export const subtract = (a: Rational, b: Rational): Rational => add(a, rational(-b.numerator, b.denominator))
export const multiply = (a: Rational, b: Rational): Rational => rational(a.numerator * b.numerator, a.denominator * b.denominator)
/** `b` is a positive constant of a table. */
export const divide = (a: Rational, b: Rational): Rational => multiply(a, rational(b.denominator, b.numerator))

/** Negative where a < b, zero where they are equal, positive where a > b. */
export function compare(a: Rational, b: Rational): number {
  const difference = subtract(a, b).numerator
  return difference < 0n ? -1 : difference > 0n ? 1 : 0
}

const digitsMax = 18

/** The shortest decimal text that is exactly this number; undefined where it has none of at most 18 digits behind the point. */
export function toText({ numerator, denominator }: Rational): string | undefined {
  const scaled = numerator * 10n ** BigInt(digitsMax)
  if (scaled % denominator !== 0n) return undefined
  const all = scaled / denominator
  const digits = (all < 0n ? -all : all).toString().padStart(digitsMax + 1, '0')
  const fraction = digits.slice(-digitsMax).replace(/0+$/, '')
  return `${all < 0n ? '-' : ''}${digits.slice(0, -digitsMax)}${fraction && `.${fraction}`}`
}
