import { accepted, type Result, refused, type TaskTokenClaims, taskTokenClaimsSchema } from '@interlock/contracts'
import { certificatesOf, type Jws, type JwsReason, readJws, signJws, x5cOf } from './jws.ts'
import type { SigningKey } from './signing-key.ts'

const typ = 'task+jwt'
/** RFC 8693 §4.1 `act` may nest without end; ours as deep as a chain may be long. */
export const delegationDepthMax = 8

export type TaskTokenReason = JwsReason | 'token-header' | 'token-claims' | 'token-too-deep'

/** A task token as its sender wrote it: only `verifyDelegation` makes it count. */
export type TaskToken = {
  readonly claims: TaskTokenClaims
  readonly jws: Jws
  /** base64url SHA-256 of the signing input: what a child's `parent` names. */
  readonly digest: string
  /** How it says it was signed: by a signer of the trust bundle, or by the holder of a certificate. */
  readonly signedBy: { readonly kid: string } | { readonly chain: readonly Buffer[] }
}

/** Signs a root with a key of the trust bundle (`{ kid }`), or a child offline with the parent's own certificate key. */
export function signTaskToken(claims: TaskTokenClaims, by: SigningKey | { readonly kid: SigningKey }): Promise<string> {
  return 'kid' in by ? signJws({ typ, kid: by.kid.keyId }, claims, by.kid) : signJws({ typ, x5c: x5cOf(by.chain) }, claims, by)
}

/** Reads a task token: form, header and claims, nothing about trust. */
export function readTaskToken(text: string): Result<TaskToken, TaskTokenReason> {
  const jws = readJws(text)
  if (!jws.ok) return jws
  const { header, payload } = jws.value
  const chain = certificatesOf(header)
  const { kid } = header
  const signedBy =
    typeof kid === 'string' && kid.length <= 64 && header.x5c === undefined
      ? { kid }
      : chain && kid === undefined
        ? { chain }
        : undefined
  if (header.typ !== typ || !signedBy || Object.keys(header).length !== 3) return refused('token-header')
  if (actorDepth(payload) > delegationDepthMax) return refused('token-too-deep', { max: delegationDepthMax })
  const claims = taskTokenClaimsSchema.safeParse(payload)
  if (!claims.success) return refused('token-claims', { at: claims.error.issues[0]?.path.join('.') ?? '' })
  return accepted({ claims: claims.data, jws: jws.value, digest: jws.value.digest, signedBy })
}

/** Counted in a loop, before anything recurses into it (ATTACKS 46). */
function actorDepth(payload: unknown): number {
  let depth = 0
  for (let at: unknown = payload; depth <= delegationDepthMax && typeof at === 'object' && at !== null && 'act' in at; depth++)
    at = at.act
  return depth
}
