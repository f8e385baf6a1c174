import type { Decision } from '@interlock/contracts'

/** Longer than any chain of decisions can still count. */
export const horizonMs = 60 * 60_000
/** Decisions kept whole for a restart; offsets are committed many times more often. */
const keptMax = 1000

/** What device-dispatch has decided in one partition. A fold over the own decisions. */
export class DispatchedIntents {
  readonly #decidedAt = new Map<string, number>()
  readonly #kept = new Map<string, Decision>()

  /** An intent that was decided once is never decided otherwise, whatever comes. */
  has(intentId: string): boolean {
    return this.#decidedAt.has(intentId)
  }

  add({ intentId, decidedAt }: Decision): void {
    if (!this.#decidedAt.has(intentId)) this.#decidedAt.set(intentId, decidedAt)
  }

  /** Keeps a decision as the log has it: its order may not have been sent before a crash. */
  keep(decision: Decision): void {
    this.#kept.set(decision.eventId, decision)
    if (this.#kept.size > keptMax) this.#kept.delete(this.#kept.keys().next().value as string)
  }

  kept(eventId: string): Decision | undefined {
    return this.#kept.get(eventId)
  }

  /** Entries lie in the order in which they were decided. */
  forget(now: number): void {
    for (const [intentId, decidedAt] of this.#decidedAt) {
      if (decidedAt > now - horizonMs) return
      this.#decidedAt.delete(intentId)
    }
  }
}
