import type { Amount, Amounts, ChargeName } from './amount.ts'

/** What comes within this time is kept as one: memory is bounded by the time looked back on, not by how much came. */
const bucketMs = 200

/** How much was used lately. A use counts for up to a bucket's length longer than the window: never shorter. */
export class UseWindow {
  /** By the time at which each begins, in about that order. */
  readonly #buckets = new Map<number, Map<ChargeName, bigint>>()
  #windowMs = 0

  /** Adds a use, to be remembered for `windowMs`. */
  add(at: number, amounts: Amounts, windowMs: number): void {
    this.#windowMs = Math.max(this.#windowMs, windowMs)
    const start = Math.floor(at / bucketMs) * bucketMs
    const bucket = this.#buckets.get(start) ?? new Map<ChargeName, bigint>()
    for (const [name, { scaled }] of Object.entries(amounts) as [ChargeName, Amount][])
      bucket.set(name, (bucket.get(name) ?? 0n) + scaled)
    this.#buckets.set(start, bucket)
    for (const first of this.#buckets.keys()) {
      if (isWithin(first, at, this.#windowMs)) return
      this.#buckets.delete(first)
    }
  }

  /** What was used of it in the window before `now`. */
  used(name: ChargeName, now: number, windowMs: number): bigint {
    return this.#within(now, windowMs).reduce((sum, [, scaled]) => sum + (scaled.get(name) ?? 0n), 0n)
  }

  /** When as much as `excess` of it will have left the window; undefined where that is never. */
  freeAt(name: ChargeName, now: number, windowMs: number, excess: bigint): number | undefined {
    let left = excess
    for (const [start, scaled] of this.#within(now, windowMs).sort(([a], [b]) => a - b)) {
      left -= scaled.get(name) ?? 0n
      if (left <= 0n) return start + bucketMs + windowMs
    }
    return undefined
  }

  isOver(now: number): boolean {
    return this.#within(now, this.#windowMs).length === 0
  }

  #within(now: number, windowMs: number) {
    return [...this.#buckets].filter(([start]) => isWithin(start, now, windowMs))
  }
}

const isWithin = (start: number, now: number, windowMs: number) => start + bucketMs + windowMs > now
