import type { HttpBindings } from '@hono/node-server'
import { type Context, Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { z } from 'zod'
import { readRequest } from './endpoint-request.ts'
import { askedOf, consent, deny, requestGrant } from './grant-endpoints.ts'
import { answerMs, pollingSeconds } from './grant-requests.ts'
import { authorizationDetailsSchema, keySetOf, metadataOf } from './metadata.ts'
import { OAuthError } from './oauth-error.ts'
import { grantPages } from './pages/routes.ts'
import type { Parts } from './parts.ts'
import { requestStandingGrant } from './standing-grant-endpoints.ts'
import { endJob, introspect, revoke, token } from './token-endpoints.ts'

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

/** What the server below knows of a request: its socket, of which the app asks who is at the other end. */
type Environment = { Bindings: Partial<HttpBindings> }

/** The OAuth endpoints over HTTP. */
export function tokenApp(parts: Parts, events: AppEvents): Hono<Environment> {
  const app = new Hono<Environment>()
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

  const asked = (context: Context<Environment>) => readRequest(context.req, context.env ?? {}, parts)

  app.get('/.well-known/oauth-authorization-server', (context) => context.json(metadataOf(parts)))
  app.get('/jwks.json', (context) => context.json(keySetOf(parts.anchors)))
  app.get('/authorization-details.schema.json', (context) => context.json(authorizationDetailsSchema))
  app.post('/device_authorization', async (context) => {
    const { deviceCode, userCode, request } = requestGrant(await asked(context), parts)
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
  app.post('/standing_grants', async (context) => context.json(requestStandingGrant(await asked(context), parts)))
  app.post('/token', async (context) => context.json(await token(await asked(context), parts)))
  app.post('/introspect', async (context) => context.json(introspect(await asked(context), parts)))
  app.post('/revoke', async (context) => {
    await revoke(await asked(context), parts)
    return context.body(null, 200)
  })
  app.post('/jobs/end', async (context) => {
    await endJob(await asked(context), parts)
    return context.body(null, 200)
  })
  app.route('/', grantPages(parts))
  app.get('/grants/:code', (context) => context.json({ request: askedOf(context.req.param('code'), parts).request }))
  app.post('/grants/:code', async (context) => {
    // A form of another site's cannot send JSON without being asked first whether it may.
    if (!/^application\/json(;|$)/.test(context.req.header('content-type') ?? ''))
      throw new OAuthError('invalid_request', 'content-type')
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
