/** Remembers what was used until it would be refused for its age. When it is full nothing new is taken: forgetting would let a replay in (ATTACKS 58). */
export class SingleUse {
  readonly #until = new Map<string, number>()
  readonly #countMax: number

  constructor(countMax = 100_000) {
    this.#countMax = countMax
  }

  /** Whether this is its first use. `until` and `now` in milliseconds since 1970. */
  take(id: string, until: number, now: number): boolean {
    if ((this.#until.get(id) ?? 0) > now) return false
    if (this.#until.size >= this.#countMax) this.#forget(now)
    if (this.#until.size >= this.#countMax) return false
    this.#until.set(id, until)
    return true
  }

  #forget(now: number): void {
    for (const [id, until] of this.#until) if (until <= now) this.#until.delete(id)
  }
}
