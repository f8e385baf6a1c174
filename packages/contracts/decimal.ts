/** A decimal number, exact: `digits` × 10^-`scale`. */
export type Decimal = { readonly digits: bigint; readonly scale: number }

// No exponent, no sign but minus, no leading zeros or point: one spelling a value up to trailing zeros (ATTACKS 64). Minus zero is none.
const pattern = /^(?!-0(?:\.0+)?$)(-?)(0|[1-9]\d{0,17})(?:\.(\d{1,18}))?$/

/** Reads decimal text; undefined for anything else. */
export function parseDecimal(text: string): Decimal | undefined {
  const match = pattern.exec(text)
  if (!match) return undefined
  const [, sign = '', whole = '', fraction = ''] = match
  return { digits: BigInt(sign + whole + fraction), scale: fraction.length }
}

/** Negative where a < b, zero where they are equal, positive where a > b. */
export function compareDecimals(a: Decimal, b: Decimal): number {
  const left = a.digits * 10n ** BigInt(Math.max(0, b.scale - a.scale))
  const right = b.digits * 10n ** BigInt(Math.max(0, a.scale - b.scale))
  return left < right ? -1 : left > right ? 1 : 0
}
