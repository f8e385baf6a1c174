import { randomUUID } from 'node:crypto'
import type { AskedGrant, Consent, Grant, TaskTokenClaims } from '@interlock/contracts'
import { isNarrower, type JobTerms, jobNameOf, termsOf } from '@interlock/trust'
import type { Client } from './client.ts'
import { OAuthError } from './oauth-error.ts'
import type { Parts } from './parts.ts'

/** Seconds a token may live (DESIGN "Trust services"). */
export const lifetimeMin = 300
export const lifetimeMax = 3600

export type Issuing = {
  /** SPIFFE ID of the token service. */
  readonly issuer: string
  /** Milliseconds since 1970. */
  readonly now: number
  /** Seconds. */
  readonly lifetime: number
}

/** A root token: what a human consented to, for the orchestrator they named, bound to its certificate. */
export function rootClaims(
  terms: JobTerms,
  consent: Consent,
  holder: Client,
  { issuer, now, lifetime }: Issuing,
): TaskTokenClaims {
  if (holder.spiffeId !== terms.orchestrator) throw new OAuthError('invalid_grant', 'granted to another agent')
  const iat = Math.floor(now / 1000)
  const exp = Math.min(iat + lifetime, Math.floor(terms.until / 1000))
  if (exp <= iat) throw new OAuthError('invalid_grant', 'the job is over')
  return {
    iss: issuer,
    sub: terms.human,
    aud: terms.audience,
    iat,
    exp,
    jti: randomUUID(),
    job: terms.job,
    act: { sub: holder.spiffeId },
    cnf: confirmationOf(holder),
    authorization_details: terms.grants,
    consent,
    ...(terms.mayDelegateTo.length > 0 && { may_act: { sub: terms.mayDelegateTo } }),
  }
}

/** The most that could be issued now under what was asked: what a consent is tried with before there is a token. @throws OAuthError */
export function widestRoot(asked: AskedGrant, { key, now }: Parts): TaskTokenClaims {
  const iat = Math.floor(now() / 1000)
  const terms = termsOf(asked, asked.kind === 'grant' ? asked.job : jobNameOf(asked, 1, iat * 1000))
  if (!terms.ok) throw new OAuthError('invalid_grant', terms.reason)
  const { human, audience, job, orchestrator, grants, mayDelegateTo, until } = terms.value
  return {
    iss: key.spiffeId,
    sub: human,
    aud: audience,
    iat,
    exp: Math.floor(until / 1000),
    jti: randomUUID(),
    job,
    act: { sub: orchestrator },
    cnf: { 'x5t#S256': '' },
    authorization_details: grants,
    ...(mayDelegateTo.length > 0 && { may_act: { sub: mayDelegateTo } }),
  }
}

/** RFC 8705 §3.1 always, which verifiers demand; RFC 9449 §6.1 beside it. Both name the same key. */
const confirmationOf = ({ thumbprint, provenKey }: Client): TaskTokenClaims['cnf'] => ({
  'x5t#S256': thumbprint,
  ...(provenKey !== undefined && { jkt: provenKey }),
})

export type ChildRequest = {
  readonly actor: Client
  /** As wide as the parent's where left out. */
  readonly grants: readonly Grant[] | undefined
  /** To whom the actor may delegate on. */
  readonly mayDelegateTo: readonly string[]
}

/**
 * A child token: narrower than its parent in every dimension, for an actor whom the parent names (RFC 8693 §4.4 `may_act`). What asks for more is
 * refused, never silently narrowed: the requester would believe to have it.
 */
export function childClaims(
  parent: { readonly claims: TaskTokenClaims; readonly digest: string },
  { actor, grants, mayDelegateTo }: ChildRequest,
  { issuer, now, lifetime }: Issuing,
): TaskTokenClaims {
  const { claims } = parent
  const allowed = claims.may_act?.sub ?? []
  if (![actor.spiffeId, ...mayDelegateTo].every((sub) => allowed.includes(sub)))
    throw new OAuthError('invalid_target', 'the parent does not name the actor')
  const details = grants ?? claims.authorization_details
  const narrower = isNarrower(details, claims.authorization_details)
  if (!narrower.ok) throw new OAuthError('invalid_authorization_details', narrower.reason)
  const iat = Math.max(Math.floor(now / 1000), claims.iat)
  const exp = Math.min(iat + lifetime, claims.exp)
  if (exp <= iat) throw new OAuthError('invalid_grant', 'the parent is over')
  return {
    iss: issuer,
    sub: claims.sub,
    aud: claims.aud,
    iat,
    exp,
    jti: randomUUID(),
    job: claims.job,
    act: { sub: actor.spiffeId, act: claims.act },
    cnf: confirmationOf(actor),
    authorization_details: [...details],
    parent: parent.digest,
    ...(mayDelegateTo.length > 0 && { may_act: { sub: [...mayDelegateTo] } }),
  }
}
