import { accepted, type Rate, type Result, refused } from '@interlock/contracts'
import { type Amount, type AmountReason, type Amounts, limitOf, quantityOf } from './amount.ts'
import type { UseWindow } from './use-window.ts'

export type RateReason = AmountReason | 'rate-unmeasured' | 'rate-exceeded'

/** Whether a use would be within each rate. What a rate limits and the command does not say is refused: it is not nothing. */
export function checkRates(
  rates: readonly Rate[],
  amounts: Amounts,
  window: UseWindow | undefined,
  now: number,
): Result<undefined, RateReason> {
  for (const { of, max, unit, windowMs } of rates) {
    const limit = limitOf(of, { value: max, unit })
    if (!limit.ok) return refused(limit.reason, { ...limit.detail, limitOf: 'machine' })
    const asked = amounts[of]
    if (!asked || asked.dimension !== limit.value.dimension)
      return refused('rate-unmeasured', { parameter: of, limitOf: 'machine' })
    const used = window?.used(of, now, windowMs) ?? 0n
    const excess = used + asked.scaled - limit.value.scaled
    if (excess <= 0n) continue
    const freeAt = window?.freeAt(of, now, windowMs, excess)
    return refused('rate-exceeded', {
      parameter: of,
      asked: quantityOf(asked),
      nearest: quantityOf(leftOf(limit.value, used)),
      limitOf: 'machine',
      windowMs,
      ...(freeAt !== undefined && { notBefore: new Date(freeAt).toISOString() }),
    })
  }
  return accepted(undefined)
}

const leftOf = (limit: Amount, used: bigint): Amount => ({ ...limit, scaled: limit.scaled > used ? limit.scaled - used : 0n })
