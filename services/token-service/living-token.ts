import type { TaskTokenClaims } from '@interlock/contracts'
import { actorRefusal, isRevoked, readTaskToken, type TaskToken, verifySignature } from '@interlock/trust'
import { clockSkewMs } from './agent-assertion.ts'
import type { IssuedToken } from './issued-tokens.ts'
import type { Parts } from './parts.ts'

/** A token that counts now, with all it hangs on, root first and itself last. */
export type LivingToken = { readonly token: TaskToken; readonly lineage: readonly IssuedToken[] }

/** A token that we signed, whether it counts or not. */
export function genuineToken(text: string, { anchors }: Parts): TaskToken | undefined {
  const read = readTaskToken(text)
  if (!read.ok || !('kid' in read.value.signedBy)) return undefined
  const signer = anchors.signer(read.value.signedBy.kid)
  if (signer?.role.kind !== 'service' || signer.role.service !== 'token') return undefined
  const { jws } = read.value
  return verifySignature(signer.publicKey, jws.signingInput, jws.signature) ? read.value : undefined
}

/** Signed by us, recorded, in time, nothing that it rests on revoked, and each agent over whom it came still in its place. */
export function livingToken(text: string, parts: Parts): LivingToken | undefined {
  const token = genuineToken(text, parts)
  const lineage = token && parts.issued.lineage(token.digest)
  if (!token || !lineage) return undefined
  const now = parts.now()
  if (lineage.some(({ claims }) => claims.exp * 1000 <= now || claims.iat * 1000 > now + clockSkewMs)) return undefined
  if (lineage.some(({ claims }) => actorRefusal(claims.act.sub, parts.tables, now))) return undefined
  return isRevoked([...lineage.flatMap(({ claims }) => subjectsOf(claims)), ...signersOf(token)], parts.tables, now)
    ? undefined
    : { token, lineage }
}

const subjectsOf = ({ iss, jti, act, cnf, sub, job }: TaskTokenClaims) => [
  `token:${iss} ${jti}`,
  `agent:${act.sub}`,
  `certificate:${cnf['x5t#S256']}`,
  `human:${sub}`,
  `job:${job}`,
]

const signersOf = ({ signedBy }: TaskToken) => ('kid' in signedBy ? [`enforcer-key:${signedBy.kid}`] : [])

/** Whether an agent holds a token or is one of those over whom it came. */
export function isActorOf(claims: TaskTokenClaims, spiffeId: string): boolean {
  for (let at: TaskTokenClaims['act'] | undefined = claims.act; at; at = at.act) if (at.sub === spiffeId) return true
  return false
}
