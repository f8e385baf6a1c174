import type { Svid } from '@interlock/trust'
import { verifyAgentAssertion } from './agent-assertion.ts'
import { verifyClientCertificate } from './client-certificate.ts'
import { provenKey } from './dpop.ts'
import type { EndpointRequest } from './endpoint-request.ts'
import { OAuthError } from './oauth-error.ts'
import type { Parts } from './parts.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The agent that asks. */
export type Client = Svid & {
  /** Thumbprint of the SVID's key, where the client proved it for this very request, too (RFC 9449). */
  readonly provenKey: string | undefined
}

/** Who asks, by one of two ways to prove it, and by DPoP in addition where that came. @throws OAuthError invalid_client, invalid_dpop_proof */
export function authenticate(request: EndpointRequest, parts: Parts): Client {
  const { parameters, peer } = request
  const isAsserted = parameters.get('client_assertion_type') !== undefined || parameters.get('client_assertion') !== undefined
  const agent = isAsserted || peer.length === 0 ? byAssertion(request, parts) : byCertificate(request, parts)
  return { ...agent, provenKey: provenKey(request, agent, parts) }
}

/** private_key_jwt with the key of its SVID (RFC 7523 §2.2). */
function byAssertion({ parameters, peer }: EndpointRequest, parts: Parts): Svid {
  if (parameters.get('client_assertion_type') !== assertionType) throw new OAuthError('invalid_client', 'client_assertion_type')
  const client = verifyAgentAssertion(parameters.get('client_assertion') ?? '', { ...parts, now: parts.now() }, 'client')
  // RFC 7521 §4.2: where both are there they say the same.
  if ((parameters.get('client_id') ?? client.spiffeId) !== client.spiffeId) throw new OAuthError('invalid_client', 'client_id')
  // A connection of one agent does not carry the word of another.
  if (peer.length > 0 && verifyClientCertificate(peer, parts).thumbprint !== client.thumbprint)
    throw new OAuthError('invalid_client', 'two certificates')
  return client
}

/** tls_client_auth: RFC 8705 §2 demands the client_id, and the certificate's name must be the one registered for it, which it is itself. */
function byCertificate({ parameters, peer }: EndpointRequest, parts: Parts): Svid {
  const client = verifyClientCertificate(peer, parts)
  if (parameters.get('client_id') !== client.spiffeId) throw new OAuthError('invalid_client', 'client_id')
  return client
}
