import { BudgetLedger, type Ending, type Reservation, UseWindow } from '@interlock/bounds'

/** Longer than any command can be on its way: half an hour to a device, an hour there. What a silent job had spent is not known for longer. */
export const horizonMs = 3 * 3_600_000

/** Passed-on commands kept for a restart, where a log is read before the one that it rests on. */
const passedOnMax = 20_000

export type About = { readonly job: string; readonly device: string; readonly capability: string }

/** What one partition's jobs have spent, done and asked lately: a fold over the own decisions, those after them, and the receipts. */
export class JobMemory {
  readonly budgets = new BudgetLedger<About>(horizonMs)
  readonly #doneAt = new Map<string, number>()
  readonly #lately = new Map<string, UseWindow>()
  readonly #passedOn = new Map<string, number>()

  /** `pacedMs`: for how long the device's rates ask for it. */
  allow(reservation: Reservation<About>, pacedMs: number): void {
    const { about, amounts, at } = reservation
    if (pacedMs > 0) this.#windowOf(about).add(at, amounts, pacedMs)
    const ended = this.budgets.reserve(reservation)
    if (ended) this.#noteDone(about, ended, at)
  }

  end(name: string, ending: Ending, at: number): void {
    const ended = this.budgets.end(name, ending, at)
    if (ended) this.#noteDone(ended.about, ending, at)
  }

  /** approval-router handed it on: a no of its that follows gives nothing back, for it may be on its way to the device (ATTACKS 86). */
  passOn(name: string, at: number): void {
    this.#passedOn.set(name, at)
    if (this.#passedOn.size > passedOnMax) this.#passedOn.delete(this.#passedOn.keys().next().value as string)
  }

  isPassedOn(name: string): boolean {
    return this.#passedOn.has(name)
  }

  /** When the job last completed this on the device. */
  doneAt(about: About): number | undefined {
    return this.#doneAt.get(keyOf(about))
  }

  lately({ job, device }: Pick<About, 'job' | 'device'>): UseWindow | undefined {
    return this.#lately.get(`${device} ${job}`)
  }

  forget(now: number): void {
    this.budgets.forget(now)
    for (const entries of [this.#doneAt, this.#passedOn]) {
      for (const [key, at] of entries) {
        if (at > now - horizonMs) break
        entries.delete(key)
      }
    }
    for (const [key, window] of this.#lately) if (window.isOver(now)) this.#lately.delete(key)
  }

  #noteDone(about: About, ending: Ending, at: number): void {
    if (ending.kind !== 'used' || !ending.isDone) return
    const key = keyOf(about)
    const last = this.#doneAt.get(key) ?? 0
    this.#doneAt.delete(key)
    this.#doneAt.set(key, Math.max(last, at))
  }

  #windowOf({ job, device }: About): UseWindow {
    const key = `${device} ${job}`
    const window = this.#lately.get(key) ?? new UseWindow()
    this.#lately.set(key, window)
    return window
  }
}

/** Names of devices and capabilities have no blank; a job's may. */
const keyOf = ({ job, device, capability }: About) => `${device} ${capability} ${job}`
