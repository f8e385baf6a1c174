import { createPublicKey, X509Certificate } from 'node:crypto'
import { grantsSchema } from '@interlock/contracts'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { z } from 'zod'
import { askedOf, consent, deny, requestGrant } from './grant-endpoints.ts'
import { answerMs, pollingSeconds } from './grant-requests.ts'
import { OAuthError } from './oauth-error.ts'
import { Parameters } from './parameters.ts'
import type { Parts } from './parts.ts'
import { endJob, grantTypes, introspect, revoke, token } from './token-endpoints.ts'

/** More than the largest request has: a token, two assertions with their certificates, grants. */
const bodyBytesMax = 131_072

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/)
const assertionSchema = z.strictObject({
  credentialId: base64url.max(1400),
  authenticatorData: base64url.max(5500),
  clientDataJson: base64url.max(11_000),
  signature: base64url.max(1400),
})

export type AppEvents = {
  /** Told of every refusal with its cause, which the client is not. */
  readonly refused: (path: string, error: OAuthError) => void
  /** Told of what no rule foresaw; the client gets server_error. */
  readonly failed: (path: string, error: unknown) => void
}

/** The OAuth endpoints over HTTP. */
export function tokenApp(parts: Parts, events: AppEvents): Hono {
  const app = new Hono()
  app.use(async (context, next) => {
    await next()
    // RFC 6749 §5.1.
    context.header('cache-control', 'no-store')
  })
  app.use(bodyLimit({ maxSize: bodyBytesMax, onError: (context) => context.json({ error: 'invalid_request' }, 413) }))
  app.onError((error, context) => {
    if (error instanceof OAuthError) {
      events.refused(context.req.path, error)
      return context.json({ error: error.code }, error.status)
    }
    events.failed(context.req.path, error)
    return context.json({ error: 'server_error' }, 500)
  })

  const parametersOf = async (request: { header: (name: string) => string | undefined; text: () => Promise<string> }) => {
    if (!/^application\/x-www-form-urlencoded(;|$)/.test(request.header('content-type') ?? ''))
      throw new OAuthError('invalid_request', 'content-type')
    return new Parameters(await request.text())
  }

  app.get('/.well-known/oauth-authorization-server', (context) => context.json(metadataOf(parts.issuer)))
  app.get('/jwks.json', (context) => context.json({ keys: [jwkOf(parts)] }))
  app.get('/authorization-details.schema.json', (context) => context.json(authorizationDetailsSchema))
  app.post('/device_authorization', async (context) => {
    const { deviceCode, userCode, request } = requestGrant(await parametersOf(context.req), parts)
    const uri = `${parts.issuer}/grants`
    return context.json({
      device_code: deviceCode,
      user_code: userCode,
      verification_uri: uri,
      verification_uri_complete: `${uri}/${userCode}`,
      expires_in: answerMs / 1000,
      interval: pollingSeconds,
      job: request.job,
    })
  })
  app.post('/token', async (context) => context.json(await token(await parametersOf(context.req), parts)))
  app.post('/introspect', async (context) => context.json(introspect(await parametersOf(context.req), parts)))
  app.post('/revoke', async (context) => {
    await revoke(await parametersOf(context.req), parts)
    return context.body(null, 200)
  })
  app.post('/jobs/end', async (context) => {
    await endJob(await parametersOf(context.req), parts)
    return context.body(null, 200)
  })
  app.get('/grants/:code', (context) => context.json({ request: askedOf(context.req.param('code'), parts).request }))
  app.post('/grants/:code', async (context) => {
    const read = assertionSchema.safeParse(await context.req.json().catch(() => undefined))
    if (!read.success) throw new OAuthError('invalid_request', 'no assertion')
    const bytes = (text: string) => Buffer.from(text, 'base64url')
    const { credentialId, authenticatorData, clientDataJson, signature } = read.data
    const assertion = {
      credentialId,
      authenticatorData: bytes(authenticatorData),
      clientDataJson: bytes(clientDataJson),
      signature: bytes(signature),
    }
    await consent(context.req.param('code'), assertion, parts)
    return context.body(null, 204)
  })
  app.delete('/grants/:code', (context) => {
    deny(context.req.param('code'), parts)
    return context.body(null, 204)
  })
  return app
}

/** RFC 9396 §11.2: what `authorization_details` may be, for who writes a client. */
const authorizationDetailsSchema = z.toJSONSchema(grantsSchema)

/** RFC 8414 §2. */
function metadataOf(issuer: string): Readonly<Record<string, unknown>> {
  const authentication = {
    auth_methods_supported: ['private_key_jwt'],
    auth_signing_alg_values_supported: ['ES256', 'EdDSA'],
  }
  const at = (endpoint: string) =>
    Object.fromEntries(Object.entries(authentication).map(([name, value]) => [`${endpoint}_endpoint_${name}`, value]))
  return {
    issuer,
    token_endpoint: `${issuer}/token`,
    device_authorization_endpoint: `${issuer}/device_authorization`,
    introspection_endpoint: `${issuer}/introspect`,
    revocation_endpoint: `${issuer}/revoke`,
    jwks_uri: `${issuer}/jwks.json`,
    grant_types_supported: Object.values(grantTypes),
    response_types_supported: [],
    ...at('token'),
    ...at('introspection'),
    ...at('revocation'),
    // RFC 8705 §3.3: tokens are bound to the certificate that the assertion came with.
    tls_client_certificate_bound_access_tokens: true,
    // RFC 9396 §10.
    authorization_details_types_supported: ['interlock_device', 'interlock_tool'],
  }
}

function jwkOf({ key }: Parts): Readonly<Record<string, unknown>> {
  const leaf = new X509Certificate(key.chain[0] as Buffer)
  const jwk = createPublicKey({ key: leaf.publicKey.export({ type: 'spki', format: 'der' }), format: 'der', type: 'spki' })
  return { ...jwk.export({ format: 'jwk' }), kid: key.keyId, alg: key.algorithm, use: 'sig' }
}
