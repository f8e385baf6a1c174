import type { Quantity } from '@interlock/contracts'

/** A number that cannot be written as an exact decimal without deciding its digits. */
export class QuantityError extends Error {
  readonly code = 'quantity-inexact'
  readonly retriable = false
}

/**
 * A quantity as it travels: decimal text and a UCUM unit. Text and whole numbers are taken as they are; any other number needs
 * the number of decimals that are meant, because 0.1 + 0.2 is not what its author had in mind.
 *
 *     quantity('80', 'W')   quantity(80, 'W')   quantity(12.5, 'mm/s', 1)
 */
export function quantity(value: string | number, unit: string, decimals?: number): Quantity {
  if (typeof value === 'string') return { value, unit }
  if (Number.isSafeInteger(value) && !Object.is(value, -0)) return { value: String(value), unit }
  if (decimals === undefined || !Number.isFinite(value) || Math.abs(value) >= Number.MAX_SAFE_INTEGER) {
    throw new QuantityError(`${value} ${unit} has no exact decimal: pass it as text, or say how many decimals are meant`)
  }
  // A small negative number rounds to "-0.0", which is no decimal that anybody reads.
  return { value: value.toFixed(decimals).replace(/^-(?=0(?:\.0+)?$)/, ''), unit }
}
