import { type ServerType, serve } from '@hono/node-server'
import type { BoundsPolicy } from '@interlock/contracts'
import type { Tables } from '@interlock/enforcer'
import { deviceEntry } from '@interlock/sdk/trust-domain'
import { digest, type TrustAnchors } from '@interlock/trust'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readPolicyBundle } from '../../../ops/policies/bundle.ts'
import { decisionPointApp } from './app.ts'
import { parseAuthzenSettings } from './settings.ts'

const now = 1_790_000_000_000
const token = 'x'.repeat(32)
const { revision, wasm, data } = readPolicyBundle()
const policy: BoundsPolicy = {
  ...{ kind: 'bounds', revision, sequence: 7, wasm: wasm.toString('base64url'), wasmSha256: digest(wasm), data },
}
const tpm = { attestationKey: 'AA', pcrs: [0], pcrDigest: digest(Buffer.alloc(0)) }
const tables = {
  'control.devices': new Map(['laser-1', 'mill-1'].map((name) => [name, deviceEntry(name, tpm, now)])),
  'control.policies': new Map([['bounds', policy]]),
} as unknown as Tables

let server: ServerType
let url: string
beforeAll(async () => {
  const parts = { tokenDigest: digest(Buffer.from(token)), url: 'https://pdp.lab.example', tables: () => tables, now: () => now }
  const app = decisionPointApp({ ...parts, trust: {} as TrustAnchors })
  await new Promise<void>((resolve) => {
    server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => {
      url = `http://127.0.0.1:${port}`
      resolve()
    })
  })
})
afterAll(() => server.close())

const quantity = (value: string, unit: string) => ({ value, unit })
const cut = (power = '60') => ({
  subject: { type: 'agent', id: 'spiffe://lab.interlock.example/agent/laser-operator/z1' },
  action: { name: 'laser.cut' },
  resource: { type: 'device', id: 'laser-1' },
  context: { parameters: { power: quantity(power, 'W'), speed: quantity('20', 'mm/s') } },
})
async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  const text = await response.text()
  return { status: response.status, headers: response.headers, body: response.ok ? JSON.parse(text) : text }
}
const evaluate = async (body: unknown, headers = {}) => post('/access/v1/evaluation', body, headers)

describe('one question', () => {
  it('is answered by the rules of the stage, with what they read', async () => {
    expect(await evaluate(cut())).toMatchObject({
      status: 200,
      body: { decision: true, context: { risk: 'low', quantities: { power: quantity('60', 'W') }, policy: `${revision}@7` } },
    })
    expect(await evaluate(cut('121'))).toMatchObject({
      status: 200,
      body: { decision: false, context: { reasons: ['outside-machine'], detail: { nearest: quantity('120', 'W') } } },
    })
  })

  it('may say what a job would have granted, and what program would run', async () => {
    const grant = { limits: { power: { min: '1', max: '50', unit: 'W' } } }
    const granted = { ...cut(), context: { ...cut().context, grant } }
    expect((await evaluate(granted)).body).toMatchObject({ decision: false, context: { reasons: ['outside-grant'] } })
    const mill = (text: string) => ({
      ...{ ...cut(), action: { name: 'mill.run-program' }, resource: { type: 'device', id: 'mill-1' } },
      context: {
        parameters: { spindle: quantity('12000', '/min'), feed: quantity('1500', 'mm/min') },
        program: { mediaType: 'text/x-gcode', text },
      },
    })
    const program = 'G21 G90 G94 G17\nG0 X0 Y0 Z5\nM3 S12000\nG1 X60 F1500\nM5\nM2'
    expect((await evaluate(mill(program))).body).toMatchObject({ decision: true })
    expect((await evaluate(mill(program.replace('X60', 'X9999')))).body).toMatchObject({ decision: false })
  })

  it.each([
    ['a subject of a kind that does not act', { subject: { type: 'user', id: 'alice' } }, 'subject-type-unknown'],
    ['a resource that is no device', { resource: { type: 'account', id: '1' } }, 'resource-type-unknown'],
    ['a context that nobody here understands', { context: { ...cut().context, override: true } }, 'command-malformed'],
    ['a device that is none', { resource: { type: 'device', id: 'laser-9' } }, 'device-unknown'],
  ])('is a no for %s', async (_what, change, reason) => {
    const { status, body } = await evaluate({ ...cut(), ...change })
    expect({ status, body }).toMatchObject({ status: 200, body: { decision: false, context: { reasons: [reason] } } })
  })

  it('is no question without its parts, in another media type, or too large', async () => {
    for (const member of ['subject', 'action', 'resource'])
      expect((await evaluate({ ...cut(), [member]: undefined })).status).toBe(400)
    expect((await evaluate('{')).status).toBe(400)
    expect((await evaluate(cut(), { 'content-type': 'text/plain' })).status).toBe(400)
    expect((await evaluate({ ...cut(), subject: { ...cut().subject, properties: { x: 'x'.repeat(300_000) } } })).status).toBe(413)
  })

  it('is heard from who has the token alone', async () => {
    for (const authorization of ['', 'Bearer', `Bearer ${'y'.repeat(32)}`, `Basic ${token}`]) {
      const answer = await evaluate(cut(), { authorization })
      expect(answer.status).toBe(401)
      expect(answer.headers.get('www-authenticate')).toBe('Bearer')
    }
  })

  it('gets its request id back', async () => {
    expect((await evaluate(cut(), { 'x-request-id': 'bfe9eb29' })).headers.get('x-request-id')).toBe('bfe9eb29')
  })
})

describe('several questions', () => {
  const ask = async (body: object) => (await post('/access/v1/evaluations', body)).body
  const { subject, action, resource } = cut()
  const powers = (...all: string[]) => all.map((power) => ({ context: cut(power).context }))
  const decisions = ({ evaluations }: { evaluations: { decision: boolean }[] }) => evaluations.map(({ decision }) => decision)

  it('share what they have in common, and are answered in their order', async () => {
    const asked = { subject, action, resource, evaluations: powers('60', '121', '20') }
    expect(decisions(await ask(asked))).toEqual([true, false, true])
  })

  it('end where it was asked to', async () => {
    const until = async (evaluations_semantic: string, ...all: string[]) =>
      decisions(await ask({ subject, action, resource, evaluations: powers(...all), options: { evaluations_semantic } }))
    expect(await until('deny_on_first_deny', '60', '121', '20')).toEqual([true, false])
    expect(await until('permit_on_first_permit', '121', '60', '20')).toEqual([false, true])
    expect(await until('execute_all', '121', '60')).toEqual([false, true])
  })

  it('may be one, and one that is none is a no of its own', async () => {
    expect(await ask(cut())).toMatchObject({ decision: true })
    const [good, bad] = (await ask({ subject, action, evaluations: [cut(), { context: {} }] })).evaluations
    expect(good).toMatchObject({ decision: true })
    expect(bad).toMatchObject({ decision: false, context: { error: { status: 400 } } })
    expect((await post('/access/v1/evaluations', { evaluations: Array.from({ length: 51 }, () => cut()) })).status).toBe(400)
  })
})

describe('its metadata', () => {
  it('says where it is asked, to anybody', async () => {
    expect(await (await fetch(`${url}/.well-known/authzen-configuration`)).json()).toEqual({
      policy_decision_point: 'https://pdp.lab.example',
      access_evaluation_endpoint: 'https://pdp.lab.example/access/v1/evaluation',
      access_evaluations_endpoint: 'https://pdp.lab.example/access/v1/evaluations',
    })
  })
})

describe('its settings', () => {
  const INTERLOCK_AUTHZEN_TOKEN_FILE = 'token'
  it('let nobody else’s machine ask without TLS', () => {
    expect(() => parseAuthzenSettings({ INTERLOCK_AUTHZEN_TOKEN_FILE, INTERLOCK_AUTHZEN_HOST: '0.0.0.0' })).toThrow('CERTIFICATE')
    expect(() => parseAuthzenSettings({})).toThrow('TOKEN_FILE')
    expect(parseAuthzenSettings({ INTERLOCK_AUTHZEN_TOKEN_FILE })).toMatchObject({ host: '127.0.0.1', port: 0, tls: undefined })
  })
})
