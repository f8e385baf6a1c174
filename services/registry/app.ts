import { agentDefinitionSchema } from '@interlock/contracts'
import { Hono } from 'hono'
import { bodyLimit } from 'hono/body-limit'
import { z } from 'zod'
import { bundleOf } from './bundle-endpoint.ts'
import { definitionOf, orderDefinition } from './definition-endpoints.ts'
import { beginDice, finishDice } from './dice-endpoints.ts'
import { bytes, evidenceSchema } from './evidence-schema.ts'
import { admitFederated } from './federated-endpoints.ts'
import { type Admitted, type Parts, RegistryError } from './parts.ts'
import { begin, finish } from './platform-endpoints.ts'
import { challenge, renew } from './renewals.ts'
import { enrolSoftware, enrolSubAgent, renewSoftware } from './software-endpoints.ts'

/** Five certificates of 8 kB, two keys, an admission, in base64; or a definition of 100,000 characters with its order. */
const bodyBytesMax = 524_288

const beginSchema = z.strictObject({
  admission: z.string().max(32_768),
  endorsementChain: z.array(bytes(8192)).min(1).max(5),
  endorsementKey: bytes(1024),
  attestationKey: bytes(1024),
})
const finishSchema = z.strictObject({ secret: bytes(64), evidence: evidenceSchema })
const diceBeginSchema = z.strictObject({ admission: z.string().max(32_768) })
const diceFinishSchema = z.strictObject({ admission: z.string().max(32_768), evidence: evidenceSchema })
const challengeSchema = z.strictObject({ subject: z.string().max(2048) })
const renewSchema = z.strictObject({ evidence: evidenceSchema })
const csr = bytes(4096)
const assertion = z.string().max(32_768)
const softwareSchema = z.strictObject({ admission: z.string().max(32_768), csr })
const federatedSchema = z.strictObject({ admission: z.string().max(32_768) })
const softwareRenewalSchema = z.strictObject({ assertion, csr })
const subAgentSchema = z.strictObject({ assertion, subject: z.string().max(2048), csr })
/** The text may be left out where only its state or owner changes. */
const orderSchema = z.strictObject({
  order: z.string().max(32_768),
  definition: agentDefinitionSchema.shape.definition.optional(),
})

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
  app.post('/dice/enrolments', async (context) => {
    const { admission } = await bodyOf(context.req, diceBeginSchema)
    const { id, nonce } = beginDice(admission, parts)
    return context.json({ id, ...textOf({ nonce }) }, 201)
  })
  app.post('/dice/enrolments/:id', async (context) => {
    const { admission: admissionText, evidence } = await bodyOf(context.req, diceFinishSchema)
    return context.json(admittedOf(await finishDice(context.req.param('id'), { admissionText, evidence }, parts)))
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
  app.post('/agents', async (context) => {
    const { admission, csr } = await bodyOf(context.req, softwareSchema)
    return context.json(admittedOf(await enrolSoftware(admission, csr, parts)), 201)
  })
  app.post('/agents/renewals', async (context) => {
    const { assertion, csr } = await bodyOf(context.req, softwareRenewalSchema)
    return context.json(admittedOf(await renewSoftware(assertion, csr, parts)))
  })
  app.post('/agents/sub-agents', async (context) => {
    const { assertion, subject, csr } = await bodyOf(context.req, subAgentSchema)
    return context.json(admittedOf(await enrolSubAgent(assertion, subject, csr, parts)), 201)
  })
  app.post('/federated-agents', async (context) => {
    const { admission } = await bodyOf(context.req, federatedSchema)
    return context.json(admittedOf(await admitFederated(admission, parts)), 201)
  })
  app.get('/definitions/:name', (context) => context.json(definitionOf(context.req.param('name'), parts)))
  app.post('/definitions', async (context) => {
    const { order, definition } = await bodyOf(context.req, orderSchema)
    return context.json(await orderDefinition(order, definition, parts))
  })
  for (const path of ['/crl', '/crl/:authority'])
    app.get(path, async (context) => {
      const list = await parts.revocationLists.of(context.req.param('authority'), parts)
      return context.body(new Uint8Array(list), 200, { 'content-type': 'application/pkix-crl' })
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

const admittedOf = ({ subject, chain }: Admitted) => ({
  subject,
  chain: chain.map((der) => der.toString('base64url')),
})
