import type { DecisionStatement, EventId, SignedStatement } from '@interlock/contracts'

/** No intent is dispatched whose first decision is older: after it, a replay could meet a memory that has forgotten. */
export const chainAgeMsMax = 30 * 60_000
export const horizonMs = 2 * chainAgeMsMax
/** Orders kept for a restart. Offsets are committed ten times a second; a backlog is answered at some thousands a second. */
const keptMax = 20_000

/** What became of each intent in one partition: a fold over the own decisions and over what approval-router refused. */
export class DispatchedIntents {
  readonly #decidedAt = new Map<string, number>()
  readonly #refusedAt = new Map<string, number>()
  readonly #kept = new Map<string, SignedStatement>()

  /** An intent that was decided once is never decided otherwise, whatever comes. */
  has(intentId: string): boolean {
    return this.#decidedAt.has(intentId)
  }

  /** Whether the stage before had said no to it: what it says afterwards does not count. */
  isRefused(intentId: string): boolean {
    return this.#refusedAt.has(intentId)
  }

  add({ intentId, decidedAt }: Pick<DecisionStatement, 'intentId' | 'decidedAt'>): void {
    if (!this.#decidedAt.has(intentId)) this.#decidedAt.set(intentId, decidedAt)
  }

  refuse({ intentId, decidedAt }: Pick<DecisionStatement, 'intentId' | 'decidedAt'>): void {
    if (!this.#refusedAt.has(intentId)) this.#refusedAt.set(intentId, decidedAt)
  }

  /** Keeps what the log has of an ALLOW, signature and all: its order may not have been sent before a crash. */
  keep(eventId: EventId, signed: SignedStatement): void {
    this.#kept.set(eventId, signed)
    if (this.#kept.size > keptMax) this.#kept.delete(this.#kept.keys().next().value as string)
  }

  kept(eventId: EventId): SignedStatement | undefined {
    return this.#kept.get(eventId)
  }

  /** Entries lie in the order in which they were decided. */
  forget(now: number): void {
    for (const entries of [this.#decidedAt, this.#refusedAt]) {
      for (const [intentId, decidedAt] of entries) {
        if (decidedAt > now - horizonMs) break
        entries.delete(intentId)
      }
    }
  }
}
