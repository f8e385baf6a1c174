import { accepted, type BudgetName, type Quantity, type Result, refused, type Use } from '@interlock/contracts'
import { amountOfRate, type Measure, measureOf } from '../units.ts'
import { type Amount, type AmountReason, useOf } from './amount.ts'

export type UseReason = AmountReason | 'use-unknown'

/** What a command is measured by. */
export type Measured = {
  /** As read by the device's profile. */
  readonly quantities: Readonly<Record<string, Quantity>>
  /** How long an order for it may last, milliseconds. */
  readonly orderMs: number
  /** What its program would use at most; nothing where it has none, or where that is not known. */
  readonly program: Readonly<Partial<Record<BudgetName, Quantity>>>
}

/** The most that one command can use of each budget that its capability names. */
export function usesAtMost(
  uses: Readonly<Partial<Record<BudgetName, Use | undefined>>>,
  measured: Measured,
): Result<Partial<Record<BudgetName, Amount>>, UseReason> {
  const found: Partial<Record<BudgetName, Amount>> = {}
  for (const [name, use] of Object.entries(uses) as [BudgetName, Use | undefined][]) {
    if (!use) continue
    const measure = measureOfUse(name, use, measured)
    if (!measure.ok) return refused(measure.reason, { ...measure.detail, budget: name })
    const amount = useOf(name, measure.value)
    if (!amount.ok) return amount
    found[name] = amount.value
  }
  return accepted(found)
}

function measureOfUse(name: BudgetName, use: Use, measured: Measured): Result<Measure, UseReason> {
  const { quantities, program } = measured
  if (use.by === 'fixed') return measureOf({ value: use.value, unit: use.unit })
  if (use.by === 'program') return known(program[name], { program: name }, measureOf)
  if (use.by === 'amount') return known(quantities[use.parameter], { parameter: use.parameter }, measureOf)
  const time = timeOf(use.during, measured)
  if (use.by === 'time') return known(time, { during: use.during }, measureOf)
  return known(quantities[use.parameter], { parameter: use.parameter }, (rate) =>
    known(time, { during: use.during }, (during) => amountOfRate(rate, during)),
  )
}

function timeOf(
  during: Extract<Use, { by: 'time' }>['during'],
  { quantities, orderMs, program }: Measured,
): Quantity | undefined {
  if (during === 'order') return { value: String(orderMs), unit: 'ms' }
  return during === 'program' ? program.time : quantities[during.parameter]
}

/** What the command does not say cannot be bounded: it is not nothing. */
const known = (
  quantity: Quantity | undefined,
  missing: object,
  measure: (quantity: Quantity) => Result<Measure, UseReason>,
): Result<Measure, UseReason> => (quantity ? measure(quantity) : refused('use-unknown', { ...missing }))
