import { amountsOf, commands, UseWindow } from '@interlock/bounds'
import type { JournalEntry } from './journal-entry.ts'

/** Longer than any rate looks back (packages/contracts, `rateSchema`). */
const windowMs = 3_600_000

/** Who used the device last, and how much was begun lately: a fold over the journal, so a restart forgets nothing of it. */
export class DeviceUse {
  readonly lately = new UseWindow()
  #last: { readonly jobId: string; readonly at: number } | undefined

  add({ state, jobId, at, uses, answer }: JournalEntry): void {
    if (state === 'begun') this.lately.add(at, { count: commands(1), ...amountsOf(uses) }, windowMs)
    // What was refused before it began has used nothing, and holds nothing.
    if (state === 'begun' || (state === 'ended' && answer?.status !== 'refused')) this.#last = { jobId, at }
  }

  /** The job that used it last, and when that last began or ended something, milliseconds since 1970. */
  get last(): { readonly jobId: string; readonly at: number } | undefined {
    return this.#last
  }
}
