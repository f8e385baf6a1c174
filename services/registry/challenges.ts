import { randomBytes } from 'node:crypto'
import { answerMs } from './enrolment.ts'

type Open = { readonly subject: string; readonly nonce: Buffer; readonly expiresAt: number }
const openMax = 10_000
const perSubjectMax = 4

/** Nonces for renewals: each for one subject, one answer, one minute (ATTACKS 23). */
export class Challenges {
  readonly #open = new Map<string, Open>()

  /** Undefined where too many are open. */
  issue(subject: string, now: number): { readonly id: string; readonly nonce: Buffer } | undefined {
    for (const [id, { expiresAt }] of this.#open) if (expiresAt <= now) this.#open.delete(id)
    const own = [...this.#open].filter(([, one]) => one.subject === subject)
    // Anybody may ask for anybody's: the oldest makes room, so that a stranger cannot keep a platform from asking.
    if (own.length >= perSubjectMax) this.#open.delete(own[0]?.[0] ?? '')
    if (this.#open.size >= openMax) return undefined
    const id = randomBytes(16).toString('base64url')
    const nonce = randomBytes(32)
    this.#open.set(id, { subject, nonce, expiresAt: now + answerMs })
    return { id, nonce }
  }

  take(id: string, now: number): Omit<Open, 'expiresAt'> | undefined {
    const open = this.#open.get(id)
    this.#open.delete(id)
    return open && open.expiresAt > now ? open : undefined
  }
}
