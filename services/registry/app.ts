import { X509Certificate } from 'node:crypto'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { z } from 'zod'
import { begin, challenge, finish, renew } from './endpoints.ts'
import { type Parts, RegistryError } from './parts.ts'

/** Five certificates of 8 kB, two keys, an admission, in base64. */
const bodyBytesMax = 131_072

const bytes = (max: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]*$/)
    .max(Math.ceil((max * 4) / 3))
    .transform((text) => Buffer.from(text, 'base64url'))
const attested = { attest: bytes(1024), signature: bytes(1024) }
const evidenceSchema = z
  .strictObject({ quote: z.strictObject(attested), key: z.strictObject({ ...attested, publicArea: bytes(1024) }).optional() })
  .transform(({ quote, key }) => ({ quote, ...(key && { key }) }))
const beginSchema = z.strictObject({
  admission: z.string().max(32_768),
  endorsementChain: z.array(bytes(8192)).min(1).max(5),
  endorsementKey: bytes(1024),
  attestationKey: bytes(1024),
})
const finishSchema = z.strictObject({ secret: bytes(64), evidence: evidenceSchema })
const challengeSchema = z.strictObject({ subject: z.string().max(2048) })
const renewSchema = z.strictObject({ evidence: evidenceSchema })

export type AppEvents = {
  readonly refused: (path: string, error: RegistryError) => void
  readonly failed: (path: string, error: unknown) => void
}

/** The registry over HTTP. */
export function registryApp(parts: Parts, events: AppEvents): Hono {
  const app = new Hono()
  app.use(bodyLimit({ maxSize: bodyBytesMax, onError: (context) => context.json({ error: 'request-too-large' }, 413) }))
  app.onError((error, context) => {
    if (error instanceof RegistryError) {
      events.refused(context.req.path, error)
      return context.json({ error: error.code }, error.status)
    }
    events.failed(context.req.path, error)
    return context.json({ error: 'internal-error' }, 500)
  })
  app.post('/enrolments', async (context) => {
    const { admission, ...request } = await bodyOf(context.req, beginSchema)
    const { id, credentialBlob, encryptedSecret, nonce } = begin(admission, request, parts)
    return context.json({ id, ...textOf({ credentialBlob, encryptedSecret, nonce }) }, 201)
  })
  app.post('/enrolments/:id', async (context) => {
    const { secret, evidence } = await bodyOf(context.req, finishSchema)
    return context.json(admittedOf(await finish(context.req.param('id'), secret, evidence, parts)))
  })
  app.post('/challenges', async (context) => {
    const { subject } = await bodyOf(context.req, challengeSchema)
    const { id, nonce } = challenge(subject, parts)
    return context.json({ id, ...textOf({ nonce }) }, 201)
  })
  app.post('/renewals/:id', async (context) => {
    const { evidence } = await bodyOf(context.req, renewSchema)
    return context.json(admittedOf(await renew(context.req.param('id'), evidence, parts)))
  })
  app.get('/bundle', (context) => context.json(bundleOf(parts)))
  return app
}

async function bodyOf<Value>(request: { json: () => Promise<unknown> }, schema: z.ZodType<Value>): Promise<Value> {
  const read = schema.safeParse(await request.json().catch(() => undefined))
  if (!read.success) throw new RegistryError('request-malformed', z.prettifyError(read.error))
  return read.data
}

const textOf = (values: Record<string, Buffer>) =>
  Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.toString('base64url')]))

const admittedOf = ({ subject, chain }: { subject: string; chain: readonly Buffer[] }) => ({
  subject,
  chain: chain.map((der) => der.toString('base64url')),
})

/** SPIFFE Trust Domain and Bundle §4: the roots as a JWK set. */
function bundleOf({ anchors }: Parts): Readonly<Record<string, unknown>> {
  const keys = anchors.roots(anchors.trustDomain).map(({ der }) => {
    const jwk = new X509Certificate(der).publicKey.export({ format: 'jwk' })
    return { ...jwk, use: 'x509-svid', x5c: [der.toString('base64')] }
  })
  return { keys, spiffe_refresh_hint: 300 }
}
