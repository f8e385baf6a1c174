/**
 * Remembers what was used until it would be refused for its age. When it is full, for one owner or for all, nothing new is taken: forgetting would let a
 * replay in (ATTACKS 58), and one owner must not fill it for the others.
 */
export class SingleUse {
  readonly #until = new Map<string, number>()
  readonly #counts = new Map<string, number>()
  readonly #limits: { readonly all: number; readonly owner: number }

  constructor(limits = { all: 100_000, owner: 5000 }) {
    this.#limits = limits
  }

  /** Whether this is its first use. `until` and `now` in milliseconds since 1970. */
  take(owner: string, id: string, until: number, now: number): boolean {
    const name = `${owner} ${id}`
    if ((this.#until.get(name) ?? 0) > now) return false
    if (this.#isFull(owner)) this.#forget(now)
    if (this.#isFull(owner)) return false
    if (!this.#until.has(name)) this.#counts.set(owner, (this.#counts.get(owner) ?? 0) + 1)
    this.#until.set(name, until)
    return true
  }

  #isFull(owner: string): boolean {
    return this.#until.size >= this.#limits.all || (this.#counts.get(owner) ?? 0) >= this.#limits.owner
  }

  #forget(now: number): void {
    for (const [name, until] of this.#until) {
      if (until > now) continue
      this.#until.delete(name)
      // SPIFFE IDs have no spaces.
      const owner = name.slice(0, name.indexOf(' '))
      const left = (this.#counts.get(owner) ?? 1) - 1
      if (left > 0) this.#counts.set(owner, left)
      else this.#counts.delete(owner)
    }
  }
}
