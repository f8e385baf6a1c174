/** Intents that have an outcome, by the event that gave it. Longer than anything an intent can still be waiting for. */
export const horizonMs = 24 * 3_600_000

export class EndedIntents {
  readonly #endings = new Map<string, { readonly event: string; readonly at: number }>()

  /** The first event that ends an intent stands. */
  add(intentId: string, event: string, at: number): void {
    if (!this.#endings.has(intentId)) this.#endings.set(intentId, { event, at })
  }

  /** Whether it was this event that ended the intent. */
  isEndedBy(intentId: string, event: string): boolean {
    return this.#endings.get(intentId)?.event === event
  }

  /** Entries lie in the order in which they were added. */
  forget(now: number): void {
    for (const [intentId, { at }] of this.#endings) {
      if (at > now - horizonMs) return
      this.#endings.delete(intentId)
    }
  }
}
