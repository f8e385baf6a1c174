import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { type Amount, commands } from './amount.ts'
import { BudgetLedger, type Ending, type Held, heldOf, type Reservation } from './ledger.ts'

const joules = (hundredths: number): Amount => ({ dimension: 'energy', scaled: BigInt(hundredths) * 10n ** 16n })
const returned: Ending = { kind: 'returned' }
const used = (hundredths: number): Ending => ({
  kind: 'used',
  measured: { energyJoules: (hundredths / 100).toFixed(2) },
  isDone: true,
})
const held = (holder: string, hundredths: number, maxCount = 100): Held =>
  heldOf(holder, maxCount, { energy: joules(hundredths) })

type Plan = { readonly name: string; readonly line: readonly Held[]; readonly amount: number }

/** What semantic-bounds does with a command: allows it where the ledger holds it, and writes down what it allowed. */
function ask(ledger: BudgetLedger<null>, { name, line, amount }: Plan): Reservation<null> | undefined {
  const amounts = { count: commands(1), energy: joules(amount) }
  if (ledger.shortage(line, amounts)) return undefined
  const spent = ledger.spentWith(line, amounts)
  const reporting = { energy: { member: 'energyJoules', unit: 'J' } }
  return { names: [`statement ${name}`, name], held: line, amounts, reporting, spent, at: 0, about: null }
}

describe('a budget', () => {
  const root = held('root', 1000)
  const line = (child: string, limit = 1000) => [root, held(child, limit)]
  const allow = (ledger: BudgetLedger<null>, plan: Plan) => {
    const reservation = ask(ledger, plan)
    if (reservation) ledger.reserve(reservation)
    return reservation !== undefined
  }

  it('is charged at every holder above: what one child used its sibling does not have', () => {
    const ledger = new BudgetLedger<null>(1000)
    expect(allow(ledger, { name: 'a', line: line('one'), amount: 600 })).toBe(true)
    expect(allow(ledger, { name: 'b', line: line('two'), amount: 401 })).toBe(false)
    expect(ledger.shortage(line('two'), { count: commands(1), energy: joules(401) })).toEqual({
      kind: 'exhausted',
      name: 'energy',
      holder: 'root',
      asked: joules(401),
      left: joules(400),
      granted: joules(1000),
    })
    expect(allow(ledger, { name: 'b', line: line('two'), amount: 400 })).toBe(true)
  })

  it('is given back where nothing was done, once', () => {
    const ledger = new BudgetLedger<null>(1000)
    allow(ledger, { name: 'a', line: line('one'), amount: 1000 })
    for (let time = 0; time < 3; time++) ledger.end('a', returned, 0)
    expect(allow(ledger, { name: 'b', line: line('one'), amount: 1000 })).toBe(true)
    expect(allow(ledger, { name: 'c', line: line('one'), amount: 1 })).toBe(false)
  })

  it('is given back but for what the device says it used, and not where nobody knows', () => {
    const ledger = new BudgetLedger<null>(1000)
    allow(ledger, { name: 'a', line: line('one'), amount: 700 })
    ledger.end('a', used(100), 0)
    expect(allow(ledger, { name: 'b', line: line('one'), amount: 900 })).toBe(true)
    ledger.end('b', { kind: 'used', measured: {}, isDone: false }, 0)
    expect(allow(ledger, { name: 'c', line: line('one'), amount: 1 })).toBe(false)
  })

  it('counts commands too, and gives a count back with the rest', () => {
    const ledger = new BudgetLedger<null>(1000)
    const few = [held('few', 1000, 1)]
    expect(allow(ledger, { name: 'a', line: few, amount: 1 })).toBe(true)
    expect(allow(ledger, { name: 'b', line: few, amount: 1 })).toBe(false)
    ledger.end('a', returned, 0)
    expect(allow(ledger, { name: 'b', line: few, amount: 1 })).toBe(true)
  })

  it('refuses what is not measured, or in another dimension: it is not nothing', () => {
    const ledger = new BudgetLedger<null>(1000)
    expect(ledger.shortage([root], { count: commands(1) })).toMatchObject({ kind: 'unmeasured', name: 'energy' })
    const time = { dimension: 'time', scaled: 1n }
    expect(ledger.shortage([root], { count: commands(1), energy: time })).toMatchObject({ kind: 'other-dimension' })
  })

  it('is remembered by its sums: ten thousand commands that ended leave nothing open', () => {
    const ledger = new BudgetLedger<null>(1000)
    const wide = [held('wide', 10_000_000, 20_000)]
    for (let at = 0; at < 10_000; at++) {
      allow(ledger, { name: String(at), line: wide, amount: 3 })
      ledger.end(String(at), used(1), at)
    }
    expect(ledger.openCount).toBe(0)
    expect(ledger.spentWith(wide, {})).toEqual({ wide: { count: commands(10_000), energy: joules(10_000) } })
  })
})

type Step =
  | { readonly kind: 'ask'; readonly leaf: number; readonly amount: number }
  | { readonly kind: 'end'; readonly which: number; readonly share: number }
  | { readonly kind: 'replay'; readonly which: number }
  | { readonly kind: 'crash'; readonly forgets: number; readonly order: readonly boolean[] }

const stepArbitrary: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({ kind: fc.constant('ask' as const), leaf: fc.nat(9), amount: fc.integer({ min: 1, max: 4000 }) }),
  },
  {
    weight: 5,
    arbitrary: fc.record({ kind: fc.constant('end' as const), which: fc.nat(30), share: fc.integer({ min: -1, max: 100 }) }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('replay' as const), which: fc.nat(30) }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('crash' as const),
      forgets: fc.nat(100),
      order: fc.array(fc.boolean(), { maxLength: 40 }),
    }),
  },
)

/** A tree of up to ten holders; each hangs on an earlier one, and has less than it, though all children together may have more. */
const treeArbitrary = fc
  .array(fc.record({ above: fc.nat(8), share: fc.integer({ min: 20, max: 100 }) }), { minLength: 1, maxLength: 9 })
  .map((nodes) => {
    const lines: Held[][] = [[held('0', 10_000)]]
    for (const [at, { above, share }] of nodes.entries()) {
      const line = lines[above % lines.length] as Held[]
      const parent = line.at(-1)?.limits.energy?.scaled ?? 0n
      lines.push([...line, held(String(at + 1), Number((parent * BigInt(share)) / 10n ** 18n), 100)])
    }
    return lines
  })

/** A job as the logs have it: what was allowed, and how it ended. Restored from them in any order of the two, from anywhere on. */
class Job {
  readonly allowed: Reservation<null>[] = []
  readonly ends: { readonly name: string; readonly ending: Ending }[] = []
  ledger = new BudgetLedger<null>(1000)
  forgot = 0

  take(step: Step, lines: readonly Held[][]): void {
    if (step.kind === 'ask') this.#ask(step.amount, lines[step.leaf % lines.length] as Held[])
    if (step.kind === 'crash') this.#restore(step.forgets, step.order)
    const which = 'which' in step ? this.allowed[step.which % Math.max(1, this.allowed.length)] : undefined
    if (which && step.kind === 'replay') this.#replay(which)
    if (which && step.kind === 'end') this.#end(which, step.share)
  }

  #ask(amount: number, line: readonly Held[]): void {
    if (this.forgot > 0 && line.some(({ holder }) => !this.ledger.knows(holder))) return
    const reservation = ask(this.ledger, { name: String(this.allowed.length), line, amount })
    if (!reservation) return
    this.ledger.reserve(reservation)
    this.allowed.push(reservation)
  }

  #replay(reservation: Reservation<null>): void {
    this.ledger.reserve(reservation)
    const end = this.ends.at(-1)
    if (end) this.ledger.end(end.name, end.ending, 0)
  }

  #end({ names, amounts }: Reservation<null>, share: number): void {
    const name = names[share % 2 === 0 ? 0 : 1] as string
    const reserved = Number((amounts.energy?.scaled ?? 0n) / 10n ** 16n)
    const ending = share < 0 ? returned : used(Math.floor((reserved * share) / 100))
    if (!this.ends.some((end) => names.includes(end.name))) this.ends.push({ name, ending })
    this.ledger.end(name, ending, 0)
  }

  #restore(forgets: number, order: readonly boolean[]): void {
    this.ledger = new BudgetLedger<null>(1000)
    this.forgot = Math.max(this.forgot, Math.floor((this.allowed.length * forgets) / 100))
    const own = this.allowed.slice(this.forgot)
    const ends = [...this.ends]
    for (const ownFirst of [...order, ...Array(200).fill(true), ...Array(200).fill(false)]) {
      const reservation = ownFirst ? own.shift() : undefined
      if (reservation) this.ledger.reserve(reservation)
      const end = ownFirst ? undefined : ends.shift()
      if (end) this.ledger.end(end.name, end.ending, 0)
    }
  }

  /** What was used or may still be under a holder, counted anew from the logs. */
  spentUnder(holder: string): bigint {
    return this.allowed
      .filter((one) => one.held.some((each) => each.holder === holder))
      .reduce((sum, one) => {
        const end = this.ends.find(({ name }) => one.names.includes(name))?.ending
        if (!end) return sum + (one.amounts.energy?.scaled ?? 0n)
        return end.kind === 'returned' ? sum : sum + BigInt(Math.round(Number(end.measured.energyJoules) * 100)) * 10n ** 16n
      }, 0n)
  }
}

describe('the children never have more than their parent', () => {
  it('in any tree, whatever comes in whatever order, over crashes, replays and what is forgotten', () => {
    fc.assert(
      fc.property(treeArbitrary, fc.array(stepArbitrary, { maxLength: 60 }), (lines, steps) => {
        const job = new Job()
        for (const step of steps) {
          job.take(step, lines)
          for (const line of lines) {
            const { holder, limits } = line.at(-1) as Held
            if (job.spentUnder(holder) > (limits.energy?.scaled ?? 0n)) return false
          }
        }
        return true
      }),
      { numRuns: 2000 },
    )
  })

  it('and where nothing is forgotten, memory is what the logs say, to the last digit', () => {
    fc.assert(
      fc.property(treeArbitrary, fc.array(stepArbitrary, { maxLength: 60 }), (lines, steps) => {
        const job = new Job()
        // A record that comes again is dropped by the runner: here it would be charged again, and never given back.
        for (const step of steps.filter(({ kind }) => kind !== 'replay'))
          job.take(step.kind === 'crash' ? { ...step, forgets: 0 } : step, lines)
        const spent = job.ledger.spentWith(lines.flat(), {})
        return Object.entries(spent).every(([holder, sums]) => sums.energy?.scaled === job.spentUnder(holder))
      }),
      { numRuns: 1000 },
    )
  })
})
