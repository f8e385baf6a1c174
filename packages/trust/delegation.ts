import type { KeyObject } from 'node:crypto'
import { isDeepStrictEqual } from 'node:util'
import { accepted, type Grant, type Result, type RevocationEntry, refused, type TaskTokenClaims } from '@interlock/contracts'
import { type AttenuationReason, isNarrower } from './attenuation.ts'
import { equalDigest } from './digest.ts'
import { algorithmOf, verifySignature } from './signing-key.ts'
import { type SvidReason, validateSvid } from './svid.ts'
import { delegationDepthMax, readTaskToken, type TaskToken, type TaskTokenReason } from './task-token.ts'
import { subjectsOfToken, tokenName } from './token-subjects.ts'
import type { TrustAnchors } from './trust-anchors.ts'
import { verifiedTokensOf } from './verified-tokens.ts'

export type DelegationReason =
  | TaskTokenReason
  | SvidReason
  | AttenuationReason
  | 'no-token'
  | 'chain-too-long'
  | 'root-signer'
  | 'token-signature'
  | 'token-issuer'
  | 'token-audience'
  | 'token-not-yet-valid'
  | 'token-expired'
  | 'token-bound-to-another'
  | 'wrong-parent'
  | 'other-subject'
  | 'other-job'
  | 'outlives-parent'
  | 'actor-nesting'
  | 'actor-repeated'
  | 'may-not-delegate'
  | 'consent-misplaced'
  | 'revoked'

export type DelegationToVerify = {
  readonly anchors: TrustAnchors
  readonly now: number
  readonly skewMs: number
  /** control.revocations by entry id. */
  readonly revocations: ReadonlyMap<string, RevocationEntry>
  /** Who proved possession of which certificate: the last token must be bound to it. */
  readonly agent: string
  readonly thumbprint: string
}

export type Delegation = {
  /** Claims of the root token: what the human must have consented to (`verifyConsent`). */
  readonly root: TaskTokenClaims
  readonly human: string
  readonly job: string
  /** SPIFFE IDs, the root's actor first, the acting agent last. */
  readonly actors: readonly string[]
  /** `<iss> <jti>` of each token, root first. */
  readonly tokens: readonly string[]
  /** What each token grants, same order. */
  readonly grants: readonly (readonly Grant[])[]
  /** When the first of the tokens ends, milliseconds since 1970. */
  readonly expiresAt: number
}

/** From the human's root to the acting agent: each token is signed by who held the one before, hangs on it, and grants no more. */
export function verifyDelegation(texts: readonly string[], expected: DelegationToVerify): Result<Delegation, DelegationReason> {
  if (texts.length === 0) return refused('no-token')
  if (texts.length > delegationDepthMax) return refused('chain-too-long', { max: delegationDepthMax })
  const verified = verifiedTokensOf(expected.anchors)
  const tokens: TaskToken[] = []
  for (const [at, text] of texts.entries()) {
    const known = verified.get(text)
    const read = known ? accepted(known.token) : readTaskToken(text)
    if (!read.ok) return refused(read.reason, { ...read.detail, at })
    const token = read.value
    const parent = tokens.at(-1)
    const isSignedBy = (signer: TokenSigner) => {
      if (known?.signer !== signer.thumbprint && !isSigned(token, signer)) return false
      verified.add(text, { token, signer: signer.thumbprint })
      return true
    }
    const wrong =
      wrongOfAny(token, expected) ??
      (parent ? wrongOfChild(token, parent, expected, isSignedBy) : wrongOfRoot(token, expected, isSignedBy))
    if (wrong) return refused(wrong.reason, { ...wrong.detail, at })
    tokens.push(token)
  }
  const leaf = (tokens.at(-1) as TaskToken).claims
  if (leaf.act.sub !== expected.agent || !equalDigest(leaf.cnf['x5t#S256'], expected.thumbprint))
    return refused('token-bound-to-another', { at: texts.length - 1 })
  const actors = tokens.map(({ claims }) => claims.act.sub)
  if (new Set(actors).size !== actors.length) return refused('actor-repeated')
  return accepted({
    root: (tokens[0] as TaskToken).claims,
    human: leaf.sub,
    job: leaf.job,
    actors,
    tokens: tokens.map(({ claims }) => tokenName(claims)),
    grants: tokens.map(({ claims }) => claims.authorization_details),
    expiresAt: Math.min(...tokens.map(({ claims }) => claims.exp)) * 1000,
  })
}

type Wrong = { reason: DelegationReason; detail?: Record<string, unknown> } | undefined

function wrongOfAny(token: TaskToken, { anchors, now, skewMs, revocations }: DelegationToVerify): Wrong {
  const { aud, iat, nbf, exp } = token.claims
  const { signedBy } = token
  if (aud !== anchors.audience) return { reason: 'token-audience', detail: { aud } }
  if (Math.max(iat, nbf ?? 0) * 1000 > now + skewMs) return { reason: 'token-not-yet-valid' }
  if (exp * 1000 <= now - skewMs || exp <= iat) return { reason: 'token-expired', detail: { exp } }
  const subjects = [
    ...subjectsOfToken(token.claims),
    // Whoever has the token service's stolen key writes the times himself: from then on it signed nothing that counts (ATTACKS 158).
    ...('kid' in signedBy ? [`enforcer-key:${signedBy.kid}`] : []),
  ]
  const revoked = subjects.find((id) => (revocations.get(id)?.from ?? Number.POSITIVE_INFINITY) <= now)
  return revoked === undefined ? undefined : { reason: 'revoked', detail: { revoked } }
}

type TokenSigner = {
  readonly publicKey: KeyObject
  /** x5t#S256 of the certificate. */
  readonly thumbprint: string
}

/** The key says which algorithm, and the header must agree (RFC 8725 §3.1). */
const isSigned = ({ jws }: TaskToken, { publicKey }: TokenSigner): boolean =>
  jws.header.alg === algorithmOf(publicKey) && verifySignature(publicKey, jws.signingInput, jws.signature)

function wrongOfRoot(
  { claims, signedBy }: TaskToken,
  { anchors, now }: DelegationToVerify,
  isSignedBy: (signer: TokenSigner) => boolean,
): Wrong {
  if (!('kid' in signedBy)) return { reason: 'root-signer' }
  const wrong = wrongOfServiceSigner(claims, signedBy.kid, anchors, now, isSignedBy)
  if (wrong) return wrong
  if (claims.parent !== undefined) return { reason: 'wrong-parent' }
  return claims.act.act === undefined ? undefined : { reason: 'actor-nesting' }
}

function wrongOfServiceSigner(
  claims: TaskTokenClaims,
  kid: string,
  anchors: TrustAnchors,
  now: number,
  isSignedBy: (signer: TokenSigner) => boolean,
): Wrong {
  const signer = anchors.signer(kid)
  if (signer?.role.kind !== 'service' || signer.role.service !== 'token') return { reason: 'root-signer' }
  if (claims.iat * 1000 < signer.notBeforeMs || now > signer.notAfterMs)
    return { reason: 'root-signer', detail: { cause: 'the signer’s certificate was not valid' } }
  if (claims.iss !== signer.spiffeId) return { reason: 'token-issuer', detail: { iss: claims.iss } }
  return isSignedBy({ publicKey: signer.publicKey, thumbprint: signer.keyId }) ? undefined : { reason: 'token-signature' }
}

function wrongOfChild(
  { claims, signedBy }: TaskToken,
  parent: TaskToken,
  { anchors, now, skewMs }: DelegationToVerify,
  isSignedBy: (signer: TokenSigner) => boolean,
): Wrong {
  const held = parent.claims
  if ('kid' in signedBy) {
    // The token service exchanged it for the holder of the parent, whom it knew by the SVID (RFC 8693): all else is checked as ever.
    const wrong = wrongOfServiceSigner(claims, signedBy.kid, anchors, now, isSignedBy)
    if (wrong) return wrong
  } else {
    const signer = validateSvid(signedBy.chain, anchors, now, skewMs)
    if (!signer.ok) return signer
    // Only who holds the parent may hang a child on it (RFC 8705 §3.1), under the name that the parent gave it.
    if (!equalDigest(signer.value.thumbprint, held.cnf['x5t#S256'])) return { reason: 'token-bound-to-another' }
    if (claims.iss !== signer.value.spiffeId || claims.iss !== held.act.sub)
      return { reason: 'token-issuer', detail: { iss: claims.iss } }
    if (!isSignedBy(signer.value)) return { reason: 'token-signature' }
  }
  if (claims.parent === undefined || !equalDigest(claims.parent, parent.digest)) return { reason: 'wrong-parent' }
  if (claims.consent !== undefined) return { reason: 'consent-misplaced' }
  if (claims.sub !== held.sub) return { reason: 'other-subject' }
  if (claims.job !== held.job) return { reason: 'other-job' }
  if (claims.exp > held.exp || Math.max(claims.iat, claims.nbf ?? 0) < Math.max(held.iat, held.nbf ?? 0))
    return { reason: 'outlives-parent' }
  if (!isDeepStrictEqual(claims.act.act, held.act)) return { reason: 'actor-nesting' }
  const allowed = held.may_act?.sub ?? []
  if (![claims.act.sub, ...(claims.may_act?.sub ?? [])].every((actor) => allowed.includes(actor)))
    return { reason: 'may-not-delegate', detail: { actor: claims.act.sub } }
  const narrower = isNarrower(claims.authorization_details, held.authorization_details)
  return narrower.ok ? undefined : narrower
}
