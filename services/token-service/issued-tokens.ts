import type { TaskTokenClaims } from '@interlock/contracts'
import { readTaskToken } from '@interlock/trust'

/** A token as it was recorded before it was handed out. */
export type IssuedToken = { readonly claims: TaskTokenClaims; readonly digest: string }

/** All tokens that were issued and are not over yet: a fold over the topic `tokens`. */
export class IssuedTokens {
  readonly #byDigest = new Map<string, IssuedToken>()
  readonly #counts = new Map<string, number>()

  /** Takes a recorded signing input (header.payload). What cannot be read was not issued. */
  add(signingInput: string): void {
    // The signature is not kept: the record is evidence of what was issued, not a token.
    const read = readTaskToken(`${signingInput}.AA`)
    if (!read.ok || this.#byDigest.has(read.value.digest)) return
    const { claims, digest } = read.value
    this.#byDigest.set(digest, { claims, digest })
    this.#counts.set(claims.job, this.countOf(claims.job) + 1)
  }

  /** Tokens of a job that are not over. */
  countOf(job: string): number {
    return this.#counts.get(job) ?? 0
  }

  get(digest: string): IssuedToken | undefined {
    return this.#byDigest.get(digest)
  }

  /** The token and those it hangs on, root first; undefined where one of them was not issued here. */
  lineage(digest: string): readonly IssuedToken[] | undefined {
    const token = this.#byDigest.get(digest)
    if (!token) return undefined
    if (token.claims.parent === undefined) return [token]
    const above = this.lineage(token.claims.parent)
    return above && [...above, token]
  }

  /** Who has a job, while a token of it lives. */
  ownerOf(job: string): { readonly human: string; readonly orchestrator: string } | undefined {
    for (const { claims } of this.#byDigest.values())
      if (claims.job === job && claims.parent === undefined) return { human: claims.sub, orchestrator: claims.act.sub }
    return undefined
  }

  /** Lets go what is over. `now` in milliseconds since 1970. */
  forget(now: number): void {
    for (const [digest, { claims }] of this.#byDigest) {
      if (claims.exp * 1000 > now) continue
      this.#byDigest.delete(digest)
      const left = this.countOf(claims.job) - 1
      if (left > 0) this.#counts.set(claims.job, left)
      else this.#counts.delete(claims.job)
    }
  }
}
