import {
  algorithmOf,
  certificatesOf,
  readJws,
  roleOf,
  type Svid,
  type TrustAnchors,
  validateSvid,
  verifySignature,
} from '@interlock/trust'
import { z } from 'zod'
import { isRevoked, type KnownTables } from './known-tables.ts'
import { OAuthError } from './oauth-error.ts'
import type { SingleUse } from './single-use.ts'

export const clockSkewMs = 30_000
/** An assertion is made for one request. */
const validityMsMax = 300_000

const claimsSchema = z.object({
  iss: z.string().max(2048),
  sub: z.string().max(2048),
  aud: z.string().max(2048),
  jti: z.string().min(16).max(128),
  iat: z.int().min(0),
  nbf: z.int().min(0).optional(),
  exp: z.int().min(0),
})

export type AssertionContext = {
  readonly issuer: string
  readonly anchors: TrustAnchors
  readonly tables: KnownTables
  readonly used: SingleUse
  /** When this process began to remember what was used, milliseconds since 1970. */
  readonly startedAt: number
  readonly now: number
}

/**
 * An agent says who it is, for one request: a JWT signed by the key of its SVID, which comes along as x5c (RFC 7523 §3). `code` is what the
 * requester is told of any fault.
 * @throws OAuthError
 */
export function verifyAgentAssertion(text: string, context: AssertionContext, code: 'invalid_client' | 'invalid_grant'): Svid {
  const { issuer, anchors, tables, used, startedAt, now } = context
  const refuse = (cause: string) => new OAuthError(code, cause)
  const jws = readJws(text)
  if (!jws.ok) throw refuse(jws.reason)
  const { header, payload, signature, signingInput } = jws.value
  const chain = certificatesOf(header)
  if (!chain) throw refuse('header')
  const claims = claimsSchema.safeParse(payload)
  if (!claims.success) throw refuse('claims')
  const { iss, sub, aud, jti, iat, nbf, exp } = claims.data

  // x5c is the sender's word: only the path to a pinned root makes it identity (RFC 8705 §3.1).
  const agent = validateSvid(chain, anchors, now, clockSkewMs)
  if (!agent.ok) throw refuse(agent.reason)
  const { publicKey, spiffeId } = agent.value
  if (header.alg !== algorithmOf(publicKey) || !verifySignature(publicKey, signingInput, signature)) throw refuse('signature')
  if (iss !== spiffeId || sub !== spiffeId) throw refuse('subject')
  // The issuer and nothing else: an assertion for another server must not be forwarded to us (RFC 7523 §3 rule 3, ATTACKS 123).
  if (aud !== issuer) throw refuse('audience')
  if (Math.max(iat, nbf ?? 0) * 1000 > now + clockSkewMs) throw refuse('not-yet-valid')
  if (exp * 1000 + clockSkewMs <= now) throw refuse('expired')
  if (exp <= iat || (exp - iat) * 1000 > validityMsMax) throw refuse('validity-too-long')
  // What was used before a restart is not known any more, so what was made before it does not count.
  if (iat * 1000 < startedAt - 1000) throw refuse('before-start')
  assertKnownAgent(agent.value, tables, now, refuse)
  if (!used.take(spiffeId, jti, exp * 1000 + clockSkewMs, now)) throw refuse('replayed')
  return agent.value
}

/** A certificate outlives the word that its agent is gone; the tables do not. */
function assertKnownAgent(agent: Svid, tables: KnownTables, now: number, refuse: (cause: string) => OAuthError): void {
  if (roleOf(agent.parsed)?.kind !== 'agent') throw refuse('not-an-agent')
  const instance = tables.agents.get(`instance:${agent.spiffeId}`)
  if (instance?.kind !== 'instance' || instance.state !== 'active') throw refuse('instance')
  const definition = tables.agents.get(`definition:${instance.definition}`)
  if (definition?.kind !== 'definition' || definition.state !== 'active' || definition.hash !== agent.definitionHash)
    throw refuse('definition')
  const subjects = [`agent:${agent.spiffeId}`, `certificate:${agent.thumbprint}`, `definition:${definition.hash}`]
  if (isRevoked(subjects, tables, now)) throw refuse('revoked')
}
