import type { Svid } from '@interlock/trust'
import { verifyAgentAssertion } from './agent-assertion.ts'
import { OAuthError } from './oauth-error.ts'
import type { Parameters } from './parameters.ts'
import type { Parts } from './parts.ts'

const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

/** The agent that asks, by private_key_jwt with the key of its SVID (RFC 7523 §2.2). @throws OAuthError invalid_client */
export function authenticate(parameters: Parameters, parts: Parts): Svid {
  if (parameters.get('client_assertion_type') !== assertionType) throw new OAuthError('invalid_client', 'client_assertion_type')
  const context = { ...parts, now: parts.now() }
  const client = verifyAgentAssertion(parameters.get('client_assertion') ?? '', context, 'invalid_client')
  // RFC 7521 §4.2: where both are there they say the same.
  if ((parameters.get('client_id') ?? client.spiffeId) !== client.spiffeId) throw new OAuthError('invalid_client', 'client_id')
  return client
}
