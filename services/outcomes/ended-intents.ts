/** Longer than an intent can be on its way: half an hour to a device, an hour there. */
export const horizonMs = 2 * 3_600_000

/** The intents of one partition that have begun or ended: a fold over decisions and receipts. */
export class EndedIntents {
  readonly #begun = new Map<string, { readonly at: number; readonly owner: string }>()
  readonly #endings = new Map<string, { readonly event: string; readonly at: number }>()

  /** identity-verify let it in, and signed who answers for the agent that asked. */
  begin(intentId: string, at: number, owner: string): void {
    if (!this.#begun.has(intentId)) this.#begun.set(intentId, { at, owner })
  }

  /** Empty where nobody let it in. */
  ownerOf(intentId: string): string {
    return this.#begun.get(intentId)?.owner ?? ''
  }

  hasBegun(intentId: string): boolean {
    return this.#begun.has(intentId)
  }

  /** The first event that ends an intent stands. */
  add(intentId: string, event: string, at: number): void {
    if (!this.#endings.has(intentId)) this.#endings.set(intentId, { event, at })
  }

  /** Whether it was this event that ended the intent. */
  isEndedBy(intentId: string, event: string): boolean {
    return this.#endings.get(intentId)?.event === event
  }

  /** Entries lie in the order in which they were added, within a clock's skew. */
  forget(now: number): void {
    for (const [intentId, { at }] of this.#begun) {
      if (at > now - horizonMs) break
      this.#begun.delete(intentId)
    }
    for (const [intentId, { at }] of this.#endings) {
      if (at > now - horizonMs) break
      this.#endings.delete(intentId)
    }
  }
}
