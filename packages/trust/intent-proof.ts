import { accepted, type CommandDigest, type IntentId, type JobId, type Result, refused } from '@interlock/contracts'
import { z } from 'zod'
import { digest, equalDigest } from './digest.ts'
import { type FederatedSvidReason, type Federation, validateFederatedSvid } from './federated-svid.ts'
import { certificatesOf, type JwsReason, readJws, signJws, x5cOf } from './jws.ts'
import { algorithmOf, type SigningKey, verifySignature } from './signing-key.ts'
import type { Svid } from './svid.ts'
import type { TrustAnchors } from './trust-anchors.ts'

export const proofValidityMsMax = 600_000
const typ = 'intent-proof+jwt'

const claimsSchema = z.strictObject({
  iss: z.string().max(2048),
  jti: z.string().max(64),
  iat: z.int().min(0),
  exp: z.int().min(0),
  aud: z.string().max(256),
  cmd: z.string().max(64),
  ath: z.string().max(64),
  job: z.string().max(128),
})

export type ProofReason =
  | JwsReason
  | FederatedSvidReason
  | 'header'
  | 'claims'
  | 'signature'
  | 'issuer'
  | 'audience'
  | 'intent'
  | 'job'
  | 'command'
  | 'token'
  | 'not-yet-valid'
  | 'expired'
  | 'validity-too-long'

export type ProofClaims = {
  readonly audience: string
  readonly intentId: IntentId
  readonly jobId: JobId
  readonly commandDigest: CommandDigest
  /** The leaf task token, compact. */
  readonly leafToken: string
  /** Milliseconds since 1970. */
  readonly now: number
  /** Milliseconds, at most ten minutes. */
  readonly validityMs?: number
}

/** Digest by which a proof names its token (RFC 9449 §4.3 `ath`): of the text's signing input, which has one spelling only. */
const tokenDigest = (token: string): string => digest(Buffer.from(token.slice(0, Math.max(0, token.lastIndexOf('.'))), 'ascii'))

/** Proves possession of the agent's key for one intent. */
export function signIntentProof(claims: ProofClaims, key: SigningKey): Promise<string> {
  const iat = Math.floor(claims.now / 1000)
  const payload = {
    iss: key.spiffeId,
    jti: claims.intentId,
    iat,
    exp: iat + Math.floor((claims.validityMs ?? 300_000) / 1000),
    aud: claims.audience,
    cmd: claims.commandDigest,
    ath: tokenDigest(claims.leafToken),
    job: claims.jobId,
  }
  return signJws({ typ, x5c: x5cOf(key.chain) }, payload, key)
}

export type ProofToVerify = {
  readonly anchors: TrustAnchors
  /** Whose agents may sign beside ours; whether one counts, the caller's tables say. */
  readonly federation: Federation
  readonly now: number
  readonly skewMs: number
  readonly intentId: IntentId
  readonly jobId: JobId
  readonly commandDigest: CommandDigest
  readonly leafToken: string
}

/** The agent's certificate is good, its key signed this intent, command, job and token, for us, just now. */
export function verifyIntentProof(
  proof: string,
  expected: ProofToVerify,
): Result<{ leaf: Svid; expiresAt: number }, ProofReason> {
  const { anchors, federation, now, skewMs } = expected
  const jws = readJws(proof)
  if (!jws.ok) return jws
  const { header, payload, signature, signingInput } = jws.value
  const chain = certificatesOf(header)
  if (header.typ !== typ || !chain || Object.keys(header).length !== 3) return refused('header')
  const claims = claimsSchema.safeParse(payload)
  if (!claims.success) return refused('claims', { at: claims.error.issues[0]?.path.join('.') ?? '' })
  const { iss, jti, iat, exp, aud, cmd, ath, job } = claims.data

  // x5c is the sender's word: only the path to a pinned root makes it identity (RFC 8705 §3.1).
  const leaf = validateFederatedSvid(chain, { anchors, federation }, now, skewMs)
  if (!leaf.ok) return leaf
  if (header.alg !== algorithmOf(leaf.value.publicKey) || !verifySignature(leaf.value.publicKey, signingInput, signature))
    return refused('signature')
  if (iss !== leaf.value.spiffeId) return refused('issuer', { iss })
  if (aud !== anchors.audience) return refused('audience', { aud })
  if (jti !== expected.intentId) return refused('intent', { jti })
  if (job !== expected.jobId) return refused('job', { job })
  if (!equalDigest(cmd, expected.commandDigest)) return refused('command')
  if (!equalDigest(ath, tokenDigest(expected.leafToken))) return refused('token')
  if (iat * 1000 > now + skewMs) return refused('not-yet-valid', { iat })
  if (exp * 1000 + skewMs <= now) return refused('expired', { exp })
  if (exp <= iat || (exp - iat) * 1000 > proofValidityMsMax) return refused('validity-too-long', { seconds: exp - iat })
  return accepted({ leaf: leaf.value, expiresAt: exp * 1000 })
}
