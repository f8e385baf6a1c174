import { createHash, randomBytes, randomInt } from 'node:crypto'
import type { AskedGrant, Consent, GrantRequest } from '@interlock/contracts'
import { OAuthError } from './oauth-error.ts'

/** How long a human has to look at it and sign. */
export const answerMs = 600_000
/** Seconds between two questions whether they have (RFC 8628 §3.5). */
export const pollingSeconds = 1
const perAgentMax = 20
const countMax = 2000
/** No vowels, nothing that looks alike (RFC 8628 §6.1): 20^8 codes. */
const letters = 'BCDFGHJKLMNPQRSTVWXZ'

export type PendingGrant = {
  readonly deviceCode: string
  readonly userCode: string
  readonly request: AskedGrant
  readonly expiresAt: number
  state: { readonly kind: 'open' } | { readonly kind: 'denied' } | { readonly kind: 'consented'; readonly consent: Consent }
  askedAt: number
}

/**
 * Grants that wait for their human. In memory alone: nothing was issued for them yet, and who asked asks again after a restart. Bounded for each
 * agent and for all, so that an agent cannot bury its human, or others, in questions.
 */
export class GrantRequests {
  readonly #byUserCode = new Map<string, PendingGrant>()
  /** By the digest of the device code: how long a look-up takes says nothing about a secret that is hashed first. */
  readonly #byDeviceCode = new Map<string, PendingGrant>()

  open<Request extends AskedGrant>(request: Request, now: number): PendingGrant & { readonly request: Request } {
    this.#forget(now)
    const own = [...this.#byUserCode.values()].filter((one) => one.request.orchestrator === request.orchestrator)
    if (own.length >= perAgentMax || this.#byUserCode.size >= countMax)
      throw new OAuthError('slow_down', 'too many open grant requests')
    const userCode = Array.from({ length: 8 }, () => letters[randomInt(letters.length)]).join('')
    const pending: PendingGrant & { readonly request: Request } = {
      deviceCode: randomBytes(32).toString('base64url'),
      userCode,
      request,
      expiresAt: now + answerMs,
      state: { kind: 'open' },
      askedAt: 0,
    }
    this.#byUserCode.set(userCode, pending)
    this.#byDeviceCode.set(digestOf(pending.deviceCode), pending)
    return pending
  }

  /** What a human is asked; undefined where the code is wrong, answered or over. */
  asked(userCode: string, now: number): PendingGrant | undefined {
    const pending = this.#byUserCode.get(userCode)
    return pending && pending.expiresAt > now && pending.state.kind === 'open' ? pending : undefined
  }

  /** What came of it, for the agent that asked. @throws OAuthError as RFC 8628 §3.5 says */
  answered(deviceCode: string, orchestrator: string, now: number): { readonly request: GrantRequest; readonly consent: Consent } {
    const pending = this.#byDeviceCode.get(digestOf(deviceCode))
    if (pending?.request.kind !== 'grant' || pending.request.orchestrator !== orchestrator)
      throw new OAuthError('invalid_grant', 'device code')
    if (pending.expiresAt <= now) throw new OAuthError('expired_token', 'nobody answered')
    const isTooSoon = now - pending.askedAt < pollingSeconds * 1000 - 100
    pending.askedAt = now
    if (pending.state.kind === 'denied') throw new OAuthError('access_denied', 'the human said no')
    if (pending.state.kind === 'open') throw new OAuthError(isTooSoon ? 'slow_down' : 'authorization_pending', 'no answer yet')
    return { request: pending.request, consent: pending.state.consent }
  }

  /** The code is used up. */
  end(deviceCode: string): void {
    const pending = this.#byDeviceCode.get(digestOf(deviceCode))
    if (pending) this.#delete(pending)
  }

  #forget(now: number): void {
    for (const pending of this.#byUserCode.values()) if (pending.expiresAt <= now) this.#delete(pending)
  }

  #delete({ userCode, deviceCode }: PendingGrant): void {
    this.#byUserCode.delete(userCode)
    this.#byDeviceCode.delete(digestOf(deviceCode))
  }
}

const digestOf = (code: string) => createHash('sha256').update(code).digest('base64url')
