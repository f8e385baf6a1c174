import { grantsSchema } from '@interlock/contracts'
import type { TrustAnchors } from '@interlock/trust'
import { z } from 'zod'
import type { Parts } from './parts.ts'
import { grantTypes } from './token-endpoints.ts'

const signingAlgorithms = ['ES256', 'EdDSA']

/** RFC 8414 §2. */
export function metadataOf({ issuer, mtls }: Pick<Parts, 'issuer' | 'mtls'>): Readonly<Record<string, unknown>> {
  const authentication = {
    auth_methods_supported: ['private_key_jwt', ...(mtls ? ['tls_client_auth'] : [])],
    auth_signing_alg_values_supported: signingAlgorithms,
  }
  const at = (endpoint: string) =>
    Object.fromEntries(Object.entries(authentication).map(([name, value]) => [`${endpoint}_endpoint_${name}`, value]))
  return {
    issuer,
    ...endpointsAt(issuer),
    jwks_uri: `${issuer}/jwks.json`,
    grant_types_supported: Object.values(grantTypes),
    // There is no authorization endpoint: humans sign (RFC 8628).
    response_types_supported: [],
    ...at('token'),
    ...at('introspection'),
    ...at('revocation'),
    // RFC 8705 §3.3: tokens are bound to the certificate that the client proved, by TLS or in its assertion.
    tls_client_certificate_bound_access_tokens: true,
    // RFC 8705 §5.
    ...(mtls && { mtls_endpoint_aliases: endpointsAt(mtls.url) }),
    // RFC 9449 §5.1.
    dpop_signing_alg_values_supported: signingAlgorithms,
    // RFC 9396 §10.
    authorization_details_types_supported: ['interlock_device', 'interlock_tool'],
  }
}

const endpointsAt = (base: string) => ({
  token_endpoint: `${base}/token`,
  device_authorization_endpoint: `${base}/device_authorization`,
  introspection_endpoint: `${base}/introspect`,
  revocation_endpoint: `${base}/revoke`,
  // Ours: where a standing grant is asked for.
  standing_grant_endpoint: `${base}/standing_grants`,
})

/** What `authorization_details` may be (RFC 9396), for who writes a client. */
export const authorizationDetailsSchema = z.toJSONSchema(grantsSchema)

/**
 * RFC 7517: all keys whose tokens count, by the trust bundle: while one replaces another both are there, the next before its first token and the last until
 * its last is over (ATTACKS 128).
 */
export function keySetOf(anchors: TrustAnchors): Readonly<Record<string, unknown>> {
  const own = anchors.signers.filter(({ role }) => role.kind === 'service' && role.service === 'token')
  return {
    keys: own.map(({ publicKey, keyId, algorithm }) => ({
      ...publicKey.export({ format: 'jwk' }),
      kid: keyId,
      alg: algorithm,
      use: 'sig',
    })),
  }
}
