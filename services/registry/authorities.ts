import { thumbprint } from '@interlock/trust'
import type { Issuer } from '@interlock/trust/issue'

/** An agent's certificate lives an hour at most (DESIGN "Trust services"), milliseconds: so long an authority that was replaced still answers for its own. */
export const certificateLifeMs = 3_600_000

/** base64url SHA-256 of an authority's certificate. */
export const authorityId = ({ certificate }: Issuer): string => thumbprint(Buffer.from(certificate.rawData))

/** The authority that signs now, and those before it whose certificates still count: a rotation leaves no gap. */
export class Authorities {
  #current: Issuer
  readonly #replaced: { readonly issuer: Issuer; readonly until: number }[] = []

  constructor(current: Issuer) {
    this.#current = current
  }

  get current(): Issuer {
    return this.#current
  }

  /** From now on `next` signs; false where it does already. `now` in milliseconds since 1970. */
  rotate(next: Issuer, now: number): boolean {
    if (authorityId(next) === authorityId(this.#current)) return false
    this.#replaced.push({ issuer: this.#current, until: now + certificateLifeMs })
    this.#current = next
    return true
  }

  /** By the id of its certificate; undefined where it is not ours, or all that it signed has ended. */
  find(id: string, now: number): Issuer | undefined {
    const counting = [this.#current, ...this.#replaced.filter(({ until }) => until > now).map(({ issuer }) => issuer)]
    return counting.find((issuer) => authorityId(issuer) === id)
  }
}
