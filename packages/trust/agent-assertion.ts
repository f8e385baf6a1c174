import { accepted, type Result, refused } from '@interlock/contracts'
import { z } from 'zod'
import { certificatesOf, type JwsReason, readJws } from './jws.ts'
import { algorithmOf, verifySignature } from './signing-key.ts'
import { type Svid, type SvidReason, validateSvid } from './svid.ts'
import type { TrustAnchors } from './trust-anchors.ts'

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

/** What the header's `typ` says it is for, so that neither passes for the other (RFC 8725 §3.11). A client's may go without one, as OAuth libraries write it. */
const typesOf = { client: ['JWT', undefined], actor: ['actor-assertion+jwt'] } as const
export type AssertionKind = keyof typeof typesOf
export const assertionTypeOf = (kind: AssertionKind): string => typesOf[kind][0]

export type AgentAssertionReason =
  | JwsReason
  | SvidReason
  | 'header'
  | 'claims'
  | 'signature'
  | 'subject'
  | 'audience'
  | 'not-yet-valid'
  | 'expired'
  | 'validity-too-long'

export type AgentAssertionToVerify = {
  /** The one audience that counts: who the assertion is shown to. */
  readonly audience: string
  /** Whether its sender asks for itself (`client`), or lets another ask on its behalf (`actor`). A client's where left out. */
  readonly kind?: AssertionKind
  readonly anchors: TrustAnchors
  readonly now: number
  readonly skewMs: number
}

/** Who says it. Whether it was said before, and whether the agent still stands, is the caller's to ask. */
export type AgentAssertion = {
  readonly agent: Svid
  readonly jti: string
  /** All that it says, signed: what one endpoint asks for beside is the caller's to read. */
  readonly claims: unknown
  /** Milliseconds since 1970. */
  readonly issuedAt: number
  /** From when on it would be refused for its age, milliseconds since 1970. */
  readonly until: number
}

/** An agent says who it is, for one request: a JWT signed by the key of its SVID, which comes along as x5c (RFC 7523 §3). */
export function verifyAgentAssertion(
  text: string,
  { audience, kind = 'client', anchors, now, skewMs }: AgentAssertionToVerify,
): Result<AgentAssertion, AgentAssertionReason> {
  const jws = readJws(text)
  if (!jws.ok) return jws
  const { header, payload, signature, signingInput } = jws.value
  const chain = certificatesOf(header)
  if (!chain || !typesOf[kind].some((typ) => typ === header.typ)) return refused('header')
  const claims = claimsSchema.safeParse(payload)
  if (!claims.success) return refused('claims')
  const { iss, sub, aud, jti, iat, nbf, exp } = claims.data

  // x5c is the sender's word: only the path to a pinned root makes it identity (RFC 8705 §3.1).
  const agent = validateSvid(chain, anchors, now, skewMs)
  if (!agent.ok) return agent
  const { publicKey, spiffeId } = agent.value
  if (header.alg !== algorithmOf(publicKey) || !verifySignature(publicKey, signingInput, signature)) return refused('signature')
  if (iss !== spiffeId || sub !== spiffeId) return refused('subject')
  // Who it is for and nobody else: an assertion for another server must not be forwarded to us (RFC 7523 §3 rule 3, ATTACKS 123).
  if (aud !== audience) return refused('audience')
  if (Math.max(iat, nbf ?? 0) * 1000 > now + skewMs) return refused('not-yet-valid')
  if (exp * 1000 + skewMs <= now) return refused('expired')
  if (exp <= iat || (exp - iat) * 1000 > validityMsMax) return refused('validity-too-long')
  return accepted({ agent: agent.value, jti, claims: payload, issuedAt: iat * 1000, until: exp * 1000 + skewMs })
}
