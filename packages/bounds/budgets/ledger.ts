import { type Amount, type Amounts, type ChargeName, commands } from './amount.ts'
import { type Measurements, type Reporting, usedOf } from './reported.ts'

/** Who holds a budget, and how much of what. The same holder always has the same limits. */
export type Held = { readonly holder: string; readonly limits: Amounts }

/** A command that was allowed: what it may use at most is charged to every holder above it until it is known what it used. */
export type Reservation<About> = {
  /** The names by which its end may be told. */
  readonly names: readonly string[]
  readonly held: readonly Held[]
  readonly amounts: Amounts
  readonly reporting: Reporting
  /** What each holder had spent when it was allowed, itself included. */
  readonly spent: Readonly<Record<string, Amounts>>
  /** Milliseconds since 1970. */
  readonly at: number
  readonly about: About
}

/** How it ended: nothing was done, or so much was used as the device says, and all that was reserved of what it does not say. */
export type Ending =
  | { readonly kind: 'returned' }
  | { readonly kind: 'used'; readonly measured: Measurements; readonly isDone: boolean }

export type Shortage =
  | { readonly kind: 'unmeasured' | 'other-dimension'; readonly name: ChargeName; readonly holder: string }
  | {
      readonly kind: 'exhausted'
      readonly name: ChargeName
      readonly holder: string
      readonly asked: Amount
      readonly left: Amount
      readonly granted: Amount
    }

type Sums = { readonly scaled: Map<ChargeName, bigint>; readonly at: number }

/**
 * Budgets of one partition, held down a tree of grants. What a command may use is charged to its own holder and to each above, so that the sum of the
 * children never exceeds the parent. A fold over records of several topics: the end of a command may be told before it is known to have begun.
 * Remembered are sums by holder, and what is open.
 */
export class BudgetLedger<About> {
  readonly #sums = new Map<string, Sums>()
  readonly #open = new Map<string, Reservation<About>>()
  readonly #early = new Map<string, { readonly ending: Ending; readonly at: number }>()
  readonly #horizonMs: number

  constructor(horizonMs: number) {
    this.#horizonMs = horizonMs
  }

  knows(holder: string): boolean {
    return this.#sums.has(holder)
  }

  get openCount(): number {
    return new Set(this.#open.values()).size
  }

  /** The first budget that would not hold it; undefined where all would. */
  shortage(held: readonly Held[], amounts: Amounts): Shortage | undefined {
    for (const { holder, limits } of held) {
      for (const [name, granted] of entriesOf(limits)) {
        const asked = amounts[name]
        if (!asked) return { kind: 'unmeasured', name, holder }
        if (asked.dimension !== granted.dimension) return { kind: 'other-dimension', name, holder }
        const left = granted.scaled - this.#sumOf(holder, name)
        if (asked.scaled > left)
          return { kind: 'exhausted', name, holder, asked, left: { ...granted, scaled: left > 0n ? left : 0n }, granted }
      }
    }
    return undefined
  }

  /** What each holder will have spent with the amounts charged: to be carried by who allows them, for memories that reach back no further. */
  spentWith(held: readonly Held[], amounts: Amounts): Record<string, Amounts> {
    return Object.fromEntries(
      held.map(({ holder, limits }) => [
        holder,
        Object.fromEntries(
          entriesOf(limits).map(([name, { dimension }]) => [
            name,
            { dimension, scaled: this.#sumOf(holder, name) + (amounts[name]?.scaled ?? 0n) },
          ]),
        ),
      ]),
    )
  }

  /** Takes over what its holders had spent before it, by its own account: for who decides again what was decided, without the receipts between. */
  standBefore({ held, amounts, spent, at }: Reservation<About>): void {
    for (const { holder, limits } of held) {
      const before = entriesOf(limits).map(
        ([name]) => [name, (spent[holder]?.[name]?.scaled ?? 0n) - (amounts[name]?.scaled ?? 0n)] as const,
      )
      this.#sums.set(holder, { scaled: new Map(before), at })
    }
  }

  /** Charges it. Returns how it ended where that was told before. */
  reserve(reservation: Reservation<About>): Ending | undefined {
    // Whoever allows the same command twice has allowed it once: it is carried out once.
    if (reservation.names.some((name) => this.#open.has(name))) return undefined
    for (const held of reservation.held) this.#chargeFirst(held, reservation)
    for (const name of reservation.names) this.#open.set(name, reservation)
    const told = reservation.names.flatMap((name) => this.#early.get(name) ?? [])[0]
    return told && this.#end(reservation, told.ending)
  }

  /** Gives back what was not used. Returns what ended now; the first end stands. */
  end(name: string, ending: Ending, at: number): Reservation<About> | undefined {
    const reservation = this.#open.get(name)
    if (!reservation) {
      if (!this.#early.has(name)) this.#early.set(name, { ending, at })
      return undefined
    }
    this.#end(reservation, ending)
    return reservation
  }

  /** What is older than the horizon: what is open then stays spent. */
  forget(now: number): void {
    const isOld = ({ at }: { readonly at: number }) => at <= now - this.#horizonMs
    forgetFirst(this.#open, isOld)
    forgetFirst(this.#early, isOld)
    forgetFirst(this.#sums, isOld)
  }

  #end(reservation: Reservation<About>, ending: Ending): Ending {
    for (const name of reservation.names) {
      this.#open.delete(name)
      this.#early.delete(name)
    }
    for (const { holder, limits } of reservation.held)
      for (const [name] of entriesOf(limits)) {
        const reserved = reservation.amounts[name]
        const sums = this.#sums.get(holder)
        if (!reserved || !sums) continue
        const used = ending.kind === 'returned' ? 0n : usedOf(name, reserved, reservation.reporting, ending.measured)
        sums.scaled.set(name, this.#sumOf(holder, name) - reserved.scaled + used)
      }
    return ending
  }

  /** A holder that memory does not know had spent what was carried: what lies before the horizon stays spent. */
  #chargeFirst({ holder, limits }: Held, { amounts, spent, at }: Reservation<About>): void {
    const known = this.#sums.get(holder)
    const scaled = new Map(known?.scaled)
    for (const [name] of entriesOf(limits)) {
      const carried = spent[holder]?.[name]?.scaled
      const charged = (known?.scaled.get(name) ?? 0n) + (amounts[name]?.scaled ?? 0n)
      scaled.set(name, known ? charged : (carried ?? charged))
    }
    // Anew at the end, so that entries lie in the order in which they were last used.
    this.#sums.delete(holder)
    this.#sums.set(holder, { scaled, at })
  }

  #sumOf(holder: string, name: ChargeName): bigint {
    return this.#sums.get(holder)?.scaled.get(name) ?? 0n
  }
}

const entriesOf = (amounts: Amounts) => Object.entries(amounts) as [ChargeName, Amount][]

/** Entries lie in the order of their times. */
function forgetFirst<Value>(entries: Map<string, Value>, isOld: (value: Value) => boolean): void {
  for (const [name, value] of entries) {
    if (!isOld(value)) return
    entries.delete(name)
  }
}

/** Limits with their count of commands, as grants have them. */
export const heldOf = (holder: string, maxCount: number, limits: Amounts): Held => ({
  holder,
  limits: { count: commands(maxCount), ...limits },
})
