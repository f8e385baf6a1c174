import type { Decision } from '@interlock/contracts'
import { digest } from '@interlock/trust'

/** Longest time for which an intent can be played again: a proof's ten minutes and the skew, both ends. */
export const seenForMs = 15 * 60_000
export const intentsMax = 2_000_000

/** The intents of one partition that were decided on and whose proofs could still be in time. A fold over the own decisions. */
export class SeenIntents {
  readonly #byId = new Map<string, { readonly digest: string; readonly decidedAt: number }>()

  /** Digest of the intent that was decided under this id first. */
  get(intentId: string): string | undefined {
    return this.#byId.get(intentId)?.digest
  }

  get size(): number {
    return this.#byId.size
  }

  /** Full, it refuses rather than forgets: else a flood of intents would make room for a replay (ATTACKS 58). */
  get isFull(): boolean {
    return this.#byId.size >= intentsMax
  }

  /** The first decision on an id stands, whatever it was. */
  add({ intentId, intent, decidedAt }: Pick<Decision, 'intentId' | 'intent' | 'decidedAt'>): void {
    if (!this.#byId.has(intentId)) this.#byId.set(intentId, { digest: digest(intent), decidedAt })
  }

  /** Lets go of what can no longer be played; entries lie in the order in which they were decided. */
  forget(now: number): void {
    for (const [intentId, { decidedAt }] of this.#byId) {
      if (decidedAt > now - seenForMs) return
      this.#byId.delete(intentId)
    }
  }
}
