import type { TaskTokenClaims } from '@interlock/contracts'
import { readTaskToken } from '@interlock/trust'

/** A token as it was recorded before it was handed out. */
export type IssuedToken = { readonly claims: TaskTokenClaims; readonly digest: string }

/** Whose a job is: the human who signed for it, and the orchestrator they named. */
export type JobOwner = { readonly human: string; readonly orchestrator: string }

/** All tokens that were issued and are not over yet: a fold over the topic `tokens`. */
export class IssuedTokens {
  readonly #byDigest = new Map<string, IssuedToken>()
  readonly #counts = new Map<string, number>()
  /** By job, with the end of its last root token in milliseconds since 1970. */
  readonly #owners = new Map<string, JobOwner & { readonly until: number }>()
  /** By job, with how many root tokens of it are being issued. */
  readonly #reserved = new Map<string, JobOwner & { readonly count: number }>()

  /**
   * Takes a recorded signing input (header.payload). What cannot be read was not issued, and what is over is not needed. `now` in milliseconds since 1970.
   * The first owner of a job stays its owner: whoever can write to the topic does not become one by a record of their own.
   */
  add(signingInput: string, now: number): void {
    // The signature is not kept: the record is evidence of what was issued, not a token.
    const read = readTaskToken(`${signingInput}.AA`)
    if (!read.ok || this.#byDigest.has(read.value.digest)) return
    const { claims, digest } = read.value
    if (claims.exp * 1000 <= now) return
    this.#byDigest.set(digest, { claims, digest })
    this.#counts.set(claims.job, this.countOf(claims.job) + 1)
    if (claims.parent !== undefined) return
    const own = ownerIn(claims)
    const owner = this.#owners.get(claims.job)
    const isFree = !owner || owner.until <= now
    if (isFree || isSame(owner, own))
      this.#owners.set(claims.job, { ...own, until: Math.max(claims.exp * 1000, isFree ? 0 : owner.until) })
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

  /** Who has a job, while a root token of it lives or is being issued. */
  ownerOf(job: string): JobOwner | undefined {
    return this.#owners.get(job) ?? this.#reserved.get(job)
  }

  /**
   * Keeps a job's name for its owner while a root token of it is signed and recorded: without waiting between the question and the answer, so that of two
   * who ask at once one gets it. False where it is another's; else `release` follows, whatever became of the token.
   */
  reserve(root: TaskTokenClaims): boolean {
    const own = ownerIn(root)
    const owner = this.ownerOf(root.job)
    if (owner && !isSame(owner, own)) return false
    this.#reserved.set(root.job, { ...own, count: (this.#reserved.get(root.job)?.count ?? 0) + 1 })
    return true
  }

  release({ job }: TaskTokenClaims): void {
    const reserved = this.#reserved.get(job)
    if (reserved && reserved.count > 1) this.#reserved.set(job, { ...reserved, count: reserved.count - 1 })
    else this.#reserved.delete(job)
  }

  /** Lets go what is over. `now` in milliseconds since 1970. */
  forget(now: number): void {
    for (const [job, { until }] of this.#owners) if (until <= now) this.#owners.delete(job)
    for (const [digest, { claims }] of this.#byDigest) {
      if (claims.exp * 1000 > now) continue
      this.#byDigest.delete(digest)
      const left = this.countOf(claims.job) - 1
      if (left > 0) this.#counts.set(claims.job, left)
      else this.#counts.delete(claims.job)
    }
  }
}

const ownerIn = ({ sub, act }: TaskTokenClaims): JobOwner => ({ human: sub, orchestrator: act.sub })
const isSame = (one: JobOwner, other: JobOwner) => one.human === other.human && one.orchestrator === other.orchestrator
