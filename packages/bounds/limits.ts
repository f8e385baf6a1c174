import { accepted, type Quantity, type Range, type Result, refused } from '@interlock/contracts'
import { compare, ofText } from './rational.ts'
import { convert, type UnitReason } from './units.ts'

/** Somebody's limits, by parameter. */
export type Limits<Owner extends string> = { readonly limitOf: Owner; readonly ranges: Readonly<Record<string, Range>> }

/** The first parameter that is outside, and what would have been allowed. */
export type Outside<Owner extends string> = {
  readonly parameter: string
  readonly asked: Quantity
  /** The nearest value that this limit allows. */
  readonly nearest: Quantity
  readonly limitOf: Owner
}

export type LimitReason = UnitReason | 'limit-malformed'

/** Checks each quantity against each owner's limits, in the order of the owners. A limit that cannot be read refuses; it is never no limit. */
export function firstOutside<Owner extends string>(
  quantities: Readonly<Record<string, Quantity>>,
  limits: readonly Limits<Owner>[],
): Result<Outside<Owner> | undefined, LimitReason> {
  for (const { limitOf, ranges } of limits) {
    for (const [parameter, asked] of Object.entries(quantities)) {
      const range = Object.hasOwn(ranges, parameter) ? ranges[parameter] : undefined
      if (!range) continue
      const nearest = nearestIn(asked, range)
      if (!nearest.ok) return refused(nearest.reason, { ...nearest.detail, parameter, limitOf })
      if (nearest.value) return accepted({ parameter, asked, nearest: nearest.value, limitOf })
    }
  }
  return accepted(undefined)
}

/** The end of the range that the quantity lies beyond; undefined where it lies within. */
function nearestIn(asked: Quantity, { min, max, unit }: Range): Result<Quantity | undefined, LimitReason> {
  const value = ofText(asked.value)
  if (!value) return refused('value-malformed')
  for (const [end, text] of [
    ['min', min],
    ['max', max],
  ] as const) {
    if (text === undefined) continue
    const limit = convert({ value: text, unit }, asked.unit)
    if (!limit.ok) return limit
    const bound = ofText(limit.value.value)
    if (!bound) return refused('limit-malformed')
    const difference = compare(value, bound)
    if (end === 'min' ? difference < 0 : difference > 0) return accepted(limit.value)
  }
  return accepted(undefined)
}
