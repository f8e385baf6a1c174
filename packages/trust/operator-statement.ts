import { accepted, type Result, refused } from '@interlock/contracts'
import { z } from 'zod'
import { type JwsReason, readJws, signJws } from './jws.ts'
import { algorithmOf, type SigningKey, verifySignature } from './signing-key.ts'
import type { TrustAnchors } from './trust-anchors.ts'

/** What every statement of an operator says beside its own subject. Times in seconds since 1970. */
const claimsBase = {
  iss: z.string().max(2048),
  aud: z.string().max(256),
  jti: z.string().min(16).max(64),
  iat: z.int().min(0),
  exp: z.int().min(0),
}
export const operatorClaims = <Shape extends z.ZodRawShape>(shape: Shape) => z.strictObject({ ...claimsBase, ...shape })

export type OperatorStatementReason =
  | JwsReason
  | 'header'
  | 'claims'
  | 'signer'
  | 'signature'
  | 'revoked-key'
  | 'audience'
  | 'not-yet-valid'
  | 'expired'
  | 'validity-too-long'

export type OperatorStatementContext = {
  readonly anchors: TrustAnchors
  readonly now: number
  readonly skewMs: number
  /** Whether a key, by its id, no longer counts: who has it writes any time. */
  readonly isRevokedKey: (keyId: string) => boolean
}
type OperatorClaims = { readonly iss: string; readonly aud: string; readonly iat: number; readonly exp: number }

/** `typ` keeps one kind of statement from passing for another. */
export function signOperatorStatement(typ: string, claims: OperatorClaims, key: SigningKey): Promise<string> {
  return signJws({ typ, kid: key.keyId }, claims, key)
}

/** An operator of the trust bundle said this, to us, and the time is right. Single use is the caller's to keep. */
export function verifyOperatorStatement<Claims extends OperatorClaims>(
  text: string,
  { typ, schema, validityMsMax }: { readonly typ: string; readonly schema: z.ZodType<Claims>; readonly validityMsMax: number },
  { anchors, now, skewMs, isRevokedKey }: OperatorStatementContext,
): Result<Claims, OperatorStatementReason> {
  const jws = readJws(text)
  if (!jws.ok) return jws
  const { header, payload, signature, signingInput } = jws.value
  if (header.typ !== typ || typeof header.kid !== 'string' || Object.keys(header).length !== 3) return refused('header')
  const claims = schema.safeParse(payload)
  if (!claims.success) return refused('claims', { at: claims.error.issues[0]?.path.join('.') ?? '' })
  const signer = anchors.signer(header.kid)
  if (signer?.role.kind !== 'operator' || claims.data.iss !== signer.spiffeId || now > signer.notAfterMs) return refused('signer')
  if (header.alg !== algorithmOf(signer.publicKey) || !verifySignature(signer.publicKey, signingInput, signature))
    return refused('signature')
  if (isRevokedKey(header.kid)) return refused('revoked-key', { keyId: header.kid })
  const { aud, iat, exp } = claims.data
  if (aud !== anchors.audience) return refused('audience', { aud })
  if (iat * 1000 > now + skewMs) return refused('not-yet-valid')
  if (exp * 1000 <= now) return refused('expired', { exp })
  if (exp <= iat || (exp - iat) * 1000 > validityMsMax) return refused('validity-too-long')
  return accepted(claims.data)
}
