import { randomUUID } from 'node:crypto'
import type { Grant } from '@interlock/contracts'
import { isNarrower, readTaskToken, type SigningKey, signTaskToken } from '@interlock/trust'

export type DelegationRequest = {
  /** The own tokens, root first: the child hangs on the last. */
  readonly tokens: readonly string[]
  /** The key that the last token is bound to, with its certificate chain. */
  readonly key: SigningKey
  readonly to: { readonly spiffeId: string; readonly certificateThumbprint: string }
  /** What the child may do; at most what the parent may. */
  readonly grants: readonly Grant[]
  /** Seconds; the child never outlives its parent. */
  readonly validitySeconds: number
  /** To whom the child's actor may delegate on; nobody where absent. */
  readonly mayDelegateTo?: readonly string[]
  /** Milliseconds since 1970. */
  readonly now?: number
}

/** The child would be refused by every verifier, so it is not made. */
export class DelegationError extends Error {
  readonly code: 'parent-unreadable' | 'not-narrower' | 'parent-expired'
  readonly retriable = false
  constructor(code: DelegationError['code'], message: string) {
    super(message)
    this.name = 'DelegationError'
    this.code = code
  }
}

/** Attenuates offline: a narrower task token for a sub-agent, signed by the delegating agent itself. Returns the whole chain. */
export async function delegate(request: DelegationRequest): Promise<string[]> {
  const parentText = request.tokens.at(-1)
  const parent = parentText === undefined ? undefined : readTaskToken(parentText)
  if (!parent?.ok)
    throw new DelegationError('parent-unreadable', `the parent is no task token: ${parent?.reason ?? 'none was given'}`)
  const { claims, digest } = parent.value

  const narrower = isNarrower([...request.grants], claims.authorization_details)
  if (!narrower.ok) {
    const detail = JSON.stringify(narrower.detail)
    throw new DelegationError('not-narrower', `the grants go beyond the parent's (${narrower.reason} ${detail}): narrow them`)
  }
  const iat = Math.floor((request.now ?? Date.now()) / 1000)
  if (iat >= claims.exp) throw new DelegationError('parent-expired', 'the parent token has expired: obtain a new one')

  const child = await signTaskToken(
    {
      iss: claims.act.sub,
      sub: claims.sub,
      aud: claims.aud,
      iat,
      exp: Math.min(claims.exp, iat + request.validitySeconds),
      jti: randomUUID(),
      job: claims.job,
      act: { sub: request.to.spiffeId, act: claims.act },
      cnf: { 'x5t#S256': request.to.certificateThumbprint },
      authorization_details: [...request.grants],
      parent: digest,
      ...(request.mayDelegateTo && { may_act: { sub: [...request.mayDelegateTo] } }),
    },
    request.key,
  )
  return [...request.tokens, child]
}
