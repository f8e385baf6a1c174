import type { CertificateRecord } from '@interlock/trust'

/** The longest life of a token, milliseconds: one that was bound to a certificate on its last day outlives it by so much. */
const tokenLifeMs = 3_600_000

/** A certificate of ours on which something may still rest. */
export type Issued = CertificateRecord & { readonly subject: string }

/** Certificates that may still be in use: what a revocation list is made of. From the topic, after a restart too. */
export class IssuedCertificates {
  readonly #bySerial = new Map<string, Issued>()
  readonly #revokedFrom = new Map<string, number>()
  #newest = 0

  /** When the newest was issued, milliseconds since 1970. */
  get newest(): number {
    return this.#newest
  }

  add(issued: Issued, issuedAt: number): void {
    this.#newest = Math.max(this.#newest, issuedAt)
    this.#bySerial.set(issued.serial, issued)
  }

  /** All of an agent that have not ended, and those that a token may still be bound to. */
  of(subject: string, now: number): Issued[] {
    this.forget(now)
    return [...this.#bySerial.values()].filter((issued) => issued.subject === subject)
  }

  /** Forgets what has ended, with the tokens on it. Times in milliseconds since 1970. */
  forget(now: number): void {
    for (const [serial, { notAfterMs }] of this.#bySerial) {
      if (notAfterMs + tokenLifeMs > now) continue
      this.#bySerial.delete(serial)
      this.#revokedFrom.delete(serial)
    }
  }

  /** Those of an authority that do not count any more, and since when that is known here: what was once revoked stays so (RFC 5280 §5.3). */
  revoked(authority: string, isRevoked: (issued: Issued) => boolean, now: number): { serial: string; from: number }[] {
    this.forget(now)
    const own = [...this.#bySerial.values()].filter((issued) => issued.authority === authority && issued.notAfterMs > now)
    for (const issued of own)
      if (!this.#revokedFrom.has(issued.serial) && isRevoked(issued)) this.#revokedFrom.set(issued.serial, now)
    return own.flatMap(({ serial }) => {
      const from = this.#revokedFrom.get(serial)
      return from === undefined ? [] : [{ serial, from }]
    })
  }
}
