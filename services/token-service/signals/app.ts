import { createHash } from 'node:crypto'
import { equalDigest } from '@interlock/trust'
import { Hono } from 'hono'
import { z } from 'zod'
import { eventTypes } from './event-types.ts'
import { answerPoll, type PollEvents, pollSchema } from './poll.ts'
import { type Signer, verificationToken } from './security-event-token.ts'
import type { Stream } from './stream.ts'

/** Seconds between two verifications of a stream (SSF 1.0 §8.1.1). */
const verificationSeconds = 5

const methods = { push: 'urn:ietf:rfc:8935', poll: 'urn:ietf:rfc:8936' } as const
const verificationSchema = z.object({ stream_id: z.string().max(64), state: z.string().max(1000).optional() })

export type SignalParts = {
  readonly signer: Signer
  readonly streams: readonly Stream[]
  readonly events: PollEvents
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** The transmitter of OpenID Shared Signals 1.0: receivers are set up by operators, and manage nothing but what they have. */
export function signalApp(parts: SignalParts): Hono<{ Variables: { stream: Stream } }> {
  const { signer, streams, events, now } = parts
  const app = new Hono<{ Variables: { stream: Stream } }>()
  app.get('/.well-known/ssf-configuration', (context) => context.json(metadataOf(signer.issuer)))
  app.use('/signals/*', async (context, next) => {
    const stream = streamOf(context.req.header('authorization'), streams)
    if (!stream) return context.json({ err: 'authentication_failed' }, 401, { 'www-authenticate': 'Bearer' })
    context.set('stream', stream)
    return next()
  })
  app.get('/signals/streams', (context) => {
    const { stream } = context.var
    const asked = context.req.query('stream_id')
    if (asked === undefined) return context.json([configurationOf(stream, signer.issuer)])
    return asked === stream.receiver.id ? context.json(configurationOf(stream, signer.issuer)) : context.body(null, 404)
  })
  app.get('/signals/status', (context) => {
    const { id } = context.var.stream.receiver
    return context.req.query('stream_id') === id ? context.json({ stream_id: id, status: 'enabled' }) : context.body(null, 404)
  })
  // SSF 1.0 §8.1: streams come from the operator's settings. A receiver that could pause its own might be made to be blind.
  for (const path of ['/signals/streams', '/signals/status'])
    app.on(['POST', 'PUT', 'PATCH', 'DELETE'], path, (context) => context.body(null, 403))
  app.post('/signals/verification', async (context) => {
    const { stream } = context.var
    const asked = verificationSchema.safeParse(await context.req.json().catch(() => undefined))
    if (!asked.success) return context.body(null, 400)
    if (asked.data.stream_id !== stream.receiver.id) return context.body(null, 404)
    if (stream.isFull || now() < stream.verifiedAt + verificationSeconds * 1000) return context.body(null, 429)
    stream.verifiedAt = now()
    stream.add(await verificationToken(asked.data.state, now(), stream.receiver, signer))
    return context.body(null, 204)
  })
  app.post('/signals/poll', async (context) => {
    const { stream } = context.var
    if (stream.receiver.delivery.method !== 'poll') return context.body(null, 404)
    const poll = pollSchema.safeParse(await context.req.json().catch(() => undefined))
    if (!poll.success) return context.json({ err: 'invalid_request', description: z.prettifyError(poll.error) }, 400)
    return context.json(await answerPoll(poll.data, stream, context.req.raw.signal, events))
  })
  return app
}

/** Whose secret it is: each is compared, in constant time, so that the answer's time tells nothing of any. */
function streamOf(authorization: string | undefined, streams: readonly Stream[]): Stream | undefined {
  const secret = /^Bearer ([\x21-\x7e]{1,512})$/i.exec(authorization ?? '')?.[1]
  if (secret === undefined) return undefined
  const given = createHash('sha256').update(secret).digest('base64url')
  return streams.filter(({ receiver }) => equalDigest(receiver.secretSha256, given)).at(0)
}

/** SSF 1.0 §7.1. */
function metadataOf(issuer: string): Readonly<Record<string, unknown>> {
  return {
    spec_version: '1_0',
    issuer,
    jwks_uri: `${issuer}/jwks.json`,
    delivery_methods_supported: Object.values(methods),
    configuration_endpoint: `${issuer}/signals/streams`,
    status_endpoint: `${issuer}/signals/status`,
    verification_endpoint: `${issuer}/signals/verification`,
    authorization_schemes: [{ spec_urn: 'urn:ietf:rfc:6750' }],
    default_subjects: 'ALL',
  }
}

/** SSF 1.0 §8.1.1. What a receiver's own system lets us in by is not told to who asks. */
function configurationOf({ receiver }: Stream, issuer: string): Readonly<Record<string, unknown>> {
  const { id, audience, events, delivery, description } = receiver
  return {
    stream_id: id,
    iss: issuer,
    aud: audience,
    events_supported: eventTypes,
    events_requested: events,
    events_delivered: events,
    delivery: {
      method: methods[delivery.method],
      endpoint_url: delivery.method === 'push' ? delivery.url : `${issuer}/signals/poll`,
    },
    min_verification_interval: verificationSeconds,
    ...(description && { description }),
  }
}
