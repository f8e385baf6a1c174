import {
  type Amount,
  type AmountReason,
  type Amounts,
  amountsOf,
  type BudgetLedger,
  type ChargeName,
  commands,
  type Held,
  heldOf,
  limitOf,
  type Measured,
  quantityOf,
  type Reporting,
  type Reservation,
  type UseReason,
  usesAtMost,
} from '@interlock/bounds'
import { accepted, type BudgetName, type Decision, type DeviceEntry, type Result, refused } from '@interlock/contracts'
import {
  type BoundsObligations,
  type DelegationObligations,
  type HeldBudget,
  obligationsOf,
  statementOf,
} from '@interlock/enforcer'
import { digest } from '@interlock/trust'
import { type About, horizonMs } from './job-memory.ts'

export type ReserveReason = UseReason | AmountReason | 'budget-exhausted' | 'budget-unmeasured' | 'budget-forgotten'

type Capability = DeviceEntry['capabilities'][string]
export type Reserved = Pick<BoundsObligations, 'uses' | 'spent'> & { readonly amounts: Amounts }

/** Clocks that tell when a job began may differ by this much. */
const skewMs = 120_000

/** What the command would use at most, where every budget that it is charged to holds it. */
export function reserve(
  { uses = {} }: Pick<Capability, 'uses'>,
  { budgets, since }: Pick<DelegationObligations, 'budgets' | 'since'>,
  measured: Measured,
  { ledger, now }: { readonly ledger: BudgetLedger<About>; readonly now: number },
): Result<Reserved, ReserveReason> {
  const used = usesAtMost(uses, measured)
  if (!used.ok) return refused(used.reason, { ...used.detail, limitOf: 'machine' })
  const amounts: Amounts = { count: commands(1), ...used.value }
  const held = holdersOf(budgets)
  if (!held.ok) return held
  // A job that was silent for longer than memory reaches may have spent all it had.
  const forgotten = since < now - horizonMs + skewMs ? held.value.find(({ holder }) => !ledger.knows(holder)) : undefined
  if (forgotten) return refused('budget-forgotten', { since, limitOf: 'budget' })
  const short = ledger.shortage(held.value, amounts)
  if (!short)
    return accepted({ amounts, uses: signedUses(used.value, uses), spent: textsOf(ledger.spentWith(held.value, amounts)) })
  const of = budgets.find(({ holder }) => holder === short.holder)?.of
  const detail = { parameter: short.name, limitOf: 'budget', of }
  if (short.kind !== 'exhausted') return refused('budget-unmeasured', detail)
  const { asked, left, granted } = short
  return refused('budget-exhausted', {
    ...detail,
    asked: quantityOf(asked),
    nearest: quantityOf(left),
    granted: quantityOf(granted),
  })
}

/** What an own ALLOW reserved, read from what is signed; undefined for any other decision. */
export function readReservation(
  decision: Pick<Decision, 'statements'>,
): { readonly reservation: Reservation<About>; readonly pacedMs: number } | undefined {
  const own = statementOf(decision as Decision)
  if (!own || !('verdict' in own) || own.verdict !== 'ALLOW') return undefined
  const delegation = delegationOf(decision, own.previous)
  if (!delegation) return undefined
  const { about, uses, spent, pacedMs } = own.obligations as BoundsObligations
  const held = holdersOf(delegation.budgets)
  if (!held.ok) return undefined
  const statement = decision.statements.at(-1)?.statement ?? Buffer.alloc(0)
  const reservation: Reservation<About> = {
    names: [digest(statement), nameOf(about.job, own.intentId)],
    held: held.value,
    amounts: { count: commands(1), ...amountsOf(uses) },
    reporting: Object.fromEntries(
      Object.entries(uses).flatMap(([name, { reported }]) => (reported ? [[name, reported]] : [])),
    ) as Reporting,
    spent: Object.fromEntries(Object.entries(spent).map(([holder, sums]) => [holder, amountsOf(sums)])),
    at: own.decidedAt,
    about,
  }
  return { reservation, pacedMs }
}

/** By what a receipt names a command. */
export const nameOf = (job: string, intentId: string): string => `${job} ${intentId}`

/** The statement before ours, as ours names it. */
function delegationOf({ statements }: Pick<Decision, 'statements'>, previous: string): DelegationObligations | undefined {
  const [signed] = statements.slice(-2, -1)
  const statement = signed && digest(signed.statement) === previous ? statementOf({ statements: [signed] } as never) : undefined
  return statement && 'verdict' in statement ? obligationsOf<DelegationObligations>([statement], 'delegation-check') : undefined
}

function holdersOf(budgets: readonly HeldBudget[]): Result<readonly Held[], AmountReason> {
  const held: Held[] = []
  for (const { holder, of, maxCount, limits } of budgets) {
    const read: Partial<Record<BudgetName, Amount>> = {}
    for (const [name, { max, unit }] of Object.entries(limits) as [BudgetName, { max: string; unit: string }][]) {
      const limit = limitOf(name, { value: max, unit })
      if (!limit.ok) return refused(limit.reason, { ...limit.detail, parameter: name, of, limitOf: 'budget' })
      read[name] = limit.value
    }
    held.push(heldOf(holder, maxCount, read))
  }
  return accepted(held)
}

function signedUses(amounts: Amounts, uses: NonNullable<Capability['uses']>): BoundsObligations['uses'] {
  return Object.fromEntries(
    (Object.entries(amounts) as [BudgetName, Amount][]).map(([name, amount]) => {
      const reported = uses[name]?.reported
      return [name, { ...quantityOf(amount), ...(reported && { reported }) }]
    }),
  )
}

const textsOf = (spent: Readonly<Record<string, Amounts>>): BoundsObligations['spent'] =>
  Object.fromEntries(
    Object.entries(spent).map(([holder, sums]) => [
      holder,
      Object.fromEntries((Object.entries(sums) as [ChargeName, Amount][]).map(([name, sum]) => [name, quantityOf(sum)])),
    ]),
  )
