import { jwkThumbprint, type Svid, verifyDpopProof } from '@interlock/trust'
import { clockSkewMs } from './agent-assertion.ts'
import type { EndpointRequest } from './endpoint-request.ts'
import { OAuthError } from './oauth-error.ts'
import type { Parts } from './parts.ts'
import { forgottenUse } from './remembered.ts'

/**
 * A DPoP proof by the key of the client's SVID, for this request and no other (RFC 9449 §5). It comes on top of the client's authentication and
 * never in its place: a token is bound to the certificate, with a proof as without (docs/decisions/0014-how-clients-prove-themselves.md).
 * @throws OAuthError invalid_dpop_proof
 */
export function provenKey(request: EndpointRequest, agent: Svid, parts: Parts): string | undefined {
  const { method, address, dpop } = request
  if (dpop === undefined) return undefined
  const refuse = (cause: string) => new OAuthError('invalid_dpop_proof', cause)
  const now = parts.now()
  const proof = verifyDpopProof(dpop, { method, address, now, skewMs: clockSkewMs })
  if (!proof.ok) throw refuse(proof.reason)
  const { thumbprint, jti, issuedAt, until } = proof.value
  // The key in the header is the sender's word: only the one that the certificate names is the client's (ATTACKS 38).
  if (thumbprint !== jwkThumbprint(agent.publicKey)) throw refuse('another key')
  const forgotten = forgottenUse(issuedAt, { now, startedAt: parts.startedAt })
  if (forgotten) throw refuse(forgotten)
  if (!parts.used.take(`dpop:${thumbprint}`, jti, until, now)) throw refuse('replayed')
  return thumbprint
}
