import type { KeyObject } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import { z } from 'zod'
import { digest, equalDigest } from './digest.ts'
import { jwkThumbprint, readPublicJwk } from './json-web-key.ts'
import { type JwsReason, readJws } from './jws.ts'
import { algorithmOf, verifySignature } from './signing-key.ts'

/** A proof is made for one request that is on its way. */
const ageMsMax = 60_000

const claimsSchema = z.object({
  jti: z.string().min(16).max(128),
  htm: z.string().max(16),
  htu: z.string().max(2048),
  iat: z.int().min(0),
  ath: z.string().max(64).optional(),
  nonce: z.string().max(128).optional(),
})

export type DpopReason =
  | JwsReason
  | 'header'
  | 'key'
  | 'claims'
  | 'signature'
  | 'method'
  | 'address'
  | 'not-yet-valid'
  | 'expired'
  | 'token'
  | 'nonce'

export type DpopToVerify = {
  readonly method: string
  /** The request's URL without query and fragment, as clients know it. */
  readonly address: string
  /** Milliseconds since 1970. */
  readonly now: number
  readonly skewMs: number
  /** Where a token comes with the proof: the proof must be about it. */
  readonly accessToken?: string
  /** Where the server gave one out and demands it (RFC 9449 §8). */
  readonly nonce?: string
}

/** Whose key made it. Whether it was used before, and whether it is the key that must be, is the caller's to ask. */
export type DpopProof = {
  readonly publicKey: KeyObject
  /** `jkt`: RFC 7638 thumbprint of the key. Proofs are used once for each key. */
  readonly thumbprint: string
  readonly jti: string
  /** Milliseconds since 1970. */
  readonly issuedAt: number
  /** From when on it would be refused for its age, milliseconds since 1970. */
  readonly until: number
}

/** RFC 9449 §4.3: a JWT by which the sender of one request proves that it has a key. Pure; what it proves is possession, never identity. */
export function verifyDpopProof(text: string, expected: DpopToVerify): Result<DpopProof, DpopReason> {
  const jws = readJws(text, ['jwk'])
  if (!jws.ok) return jws
  const { header, payload, signature, signingInput } = jws.value
  if (header.typ !== 'dpop+jwt') return refused('header')
  const publicKey = readPublicJwk(header.jwk)
  if (!publicKey) return refused('key')
  const claims = claimsSchema.safeParse(payload)
  if (!claims.success) return refused('claims')
  const { jti, htm, htu, iat, ath, nonce } = claims.data
  if (header.alg !== algorithmOf(publicKey) || !verifySignature(publicKey, signingInput, signature)) return refused('signature')
  // Exactly, without the normalising that §4.3 would allow: clients have the address from the metadata (ATTACKS 36).
  if (htm !== expected.method) return refused('method')
  if (htu !== expected.address) return refused('address')
  if (iat * 1000 > expected.now + expected.skewMs) return refused('not-yet-valid')
  const until = iat * 1000 + ageMsMax + expected.skewMs
  if (until <= expected.now) return refused('expired')
  const { accessToken } = expected
  if (accessToken !== undefined && !equalDigest(ath ?? '', digest(Buffer.from(accessToken)))) return refused('token')
  if (expected.nonce !== undefined && !equalDigest(nonce ?? '', expected.nonce)) return refused('nonce')
  return accepted({ publicKey, thumbprint: jwkThumbprint(publicKey), jti, issuedAt: iat * 1000, until })
}
