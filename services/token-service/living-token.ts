import { accepted, type Result, refused, type TaskTokenClaims } from '@interlock/contracts'
import {
  actorRefusal,
  isRevoked,
  readTaskToken,
  type StandingReason,
  subjectsOfToken,
  type TaskToken,
  type TaskTokenReason,
  verifySignature,
} from '@interlock/trust'
import { clockSkewMs } from './agent-assertion.ts'
import type { IssuedToken } from './issued-tokens.ts'
import type { Parts } from './parts.ts'

/** A token that counts now, with all it hangs on, root first and itself last. */
export type LivingToken = { readonly token: TaskToken; readonly lineage: readonly IssuedToken[] }

/** For the log alone: clients learn of a token only that it does not count. */
export type TokenCause =
  | TaskTokenReason
  | StandingReason
  | 'signed-by-an-agent'
  | 'signer-unknown'
  | 'signer-revoked'
  | 'token-signature'
  | 'not-recorded'
  | 'token-not-yet-valid'
  | 'token-expired'

/** A token that we signed, by a key that counts, whether it counts or not. While one key replaces another the trust bundle has both (ATTACKS 128). */
export function genuineToken(text: string, { anchors, tables, now }: Parts): Result<TaskToken, TokenCause> {
  const read = readTaskToken(text)
  if (!read.ok) return read
  const { jws, signedBy } = read.value
  if (!('kid' in signedBy)) return refused('signed-by-an-agent')
  const signer = anchors.signer(signedBy.kid)
  if (signer?.role.kind !== 'service' || signer.role.service !== 'token') return refused('signer-unknown')
  if (isRevoked([`enforcer-key:${signedBy.kid}`], tables, now())) return refused('signer-revoked')
  return verifySignature(signer.publicKey, jws.signingInput, jws.signature) ? read : refused('token-signature')
}

/** Signed by us, recorded, in time, nothing that it rests on revoked, and each agent over whom it came still in its place. */
export function livingToken(text: string, parts: Parts): Result<LivingToken, TokenCause> {
  const token = genuineToken(text, parts)
  if (!token.ok) return token
  const lineage = parts.issued.lineage(token.value.digest)
  if (!lineage) return refused('not-recorded')
  const now = parts.now()
  if (lineage.some(({ claims }) => claims.exp * 1000 <= now)) return refused('token-expired')
  if (lineage.some(({ claims }) => claims.iat * 1000 > now + clockSkewMs)) return refused('token-not-yet-valid')
  const subjects = lineage.flatMap(({ claims }) => subjectsOfToken(claims))
  if (isRevoked(subjects, parts.tables, now)) return refused('revoked')
  for (const { claims } of lineage) {
    const fallen = actorRefusal(claims.act.sub, parts.tables, now)
    if (fallen) return refused(fallen)
  }
  return accepted({ token: token.value, lineage })
}

/** Whether an agent holds a token or is one of those over whom it came. */
export function isActorOf(claims: TaskTokenClaims, spiffeId: string): boolean {
  for (let at: TaskTokenClaims['act'] | undefined = claims.act; at; at = at.act) if (at.sub === spiffeId) return true
  return false
}
