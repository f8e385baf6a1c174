import { measureOf } from '../units.ts'
import { type Amount, type ChargeName, useOf } from './amount.ts'

/** What a device says that it did, as its ack has it. */
export type Measurements = Readonly<Record<string, unknown>>
/** In which member it says it, and in which unit; nothing of what it does not say. */
export type Reporting = Readonly<Partial<Record<ChargeName, { readonly member: string; readonly unit: string }>>>

/**
 * What was used of a budget: what the device signed for, or all that was reserved where it did not say. A device that used more than was reserved is
 * charged for that too: the next command meets it.
 */
export function usedOf(name: ChargeName, reserved: Amount, reporting: Reporting, measured: Measurements): bigint {
  const where = reporting[name]
  if (!where || !Object.hasOwn(measured, where.member)) return reserved.scaled
  const said = measured[where.member]
  if (typeof said !== 'number' && typeof said !== 'string') return reserved.scaled
  // The shortest decimal of a double; one with an exponent is no decimal text, and what cannot be read gives nothing back.
  const measure = measureOf({ value: String(said), unit: where.unit })
  const used = measure.ok && measure.value.dimension === reserved.dimension ? useOf(name, measure.value) : undefined
  return used?.ok ? used.value.scaled : reserved.scaled
}
