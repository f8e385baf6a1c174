import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type DecisionPointPolicy, type Intent, policyEntrySchema } from '@interlock/contracts'
import type { StageInput, Tables, Verdict } from '@interlock/enforcer'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { parseBoundsSettings } from '../settings.ts'
import { confirm } from './confirm.ts'
import { HttpDecisionPoint } from './decision-point.ts'

const directory = mkdtempSync(join(tmpdir(), 'interlock-authzen-'))
const tokenFile = join(directory, 'token')
writeFileSync(tokenFile, 'a-token-that-is-nobody-else-s\n', { mode: 0o600 })

type Answer = (request: IncomingMessage & { text: string }, response: ServerResponse) => void
let answer: Answer
let server: Server
let url: string
const point = new HttpDecisionPoint({ tokenFile })
beforeAll(async () => {
  server = createServer(async (request, response) => {
    let text = ''
    for await (const part of request) text += part
    answer(Object.assign(request, { text }), response)
  })
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/access/v1/evaluation`
})
afterAll(() => {
  point.close()
  server.close()
  rmSync(directory, { recursive: true })
})

const allowed: Verdict<'outside-grant'> = {
  ...{ verdict: 'ALLOW', expiresAt: 1, risk: 'low', policy: 'lab@7' },
  obligations: { risk: 'low', quantities: { power: { value: '60', unit: 'W' } } },
}
const input = {
  intent: { intentId: 'intent-1', jobId: 'job-1' } as Intent,
  command: { device: 'laser-1', capability: 'laser.cut', parameters: { power: { value: '0.06', unit: 'kW' } } },
  statements: [
    {
      stage: 'identity-verify',
      verdict: 'ALLOW',
      obligations: { agent: 'spiffe://lab/agent/x/1', definition: 'x', assurance: 'tpm' },
    },
    { stage: 'delegation-check', verdict: 'ALLOW', obligations: { human: 'alice' } },
  ],
} as unknown as StageInput

const entryOf = (change: Partial<DecisionPointPolicy> = {}): DecisionPointPolicy => ({
  ...{ kind: 'decision-point', revision: '1', state: 'active', url, timeoutMs: 1000 },
  ...change,
})
const tablesOf = (entry: unknown, bounds: object = { kind: 'bounds' }) =>
  ({
    'control.policies': new Map([...(entry ? [['decision-point', entry]] : []), ['bounds', bounds]] as [string, unknown][]),
  }) as unknown as Tables
const ask = (entry: unknown, verdict: Verdict<'outside-grant'> = allowed, bounds?: object) =>
  confirm(verdict, input, { tables: tablesOf(entry, bounds) }, point)
const says =
  (body: string, status = 200, type = 'application/json'): Answer =>
  (_request, response) =>
    response.writeHead(status, { 'content-type': type }).end(body)

describe('an external decision point', () => {
  it('is asked as AuthZEN has it, about the command as it was read, and its yes changes nothing', async () => {
    let seen: { method?: string | undefined; headers: IncomingMessage['headers']; body: unknown } | undefined
    answer = (request, response) => {
      seen = { method: request.method, headers: request.headers, body: JSON.parse(request.text) }
      says('{"decision":true,"context":{"id":"9"}}')(request, response)
    }
    expect(await ask(entryOf())).toEqual(allowed)
    expect(seen?.method).toBe('POST')
    expect(seen?.headers).toMatchObject({
      ...{
        'content-type': 'application/json',
        'x-request-id': 'intent-1',
        authorization: 'Bearer a-token-that-is-nobody-else-s',
      },
    })
    expect(seen?.body).toEqual({
      subject: { type: 'agent', id: 'spiffe://lab/agent/x/1', properties: { definition: 'x', assurance: 'tpm', human: 'alice' } },
      action: {
        name: 'laser.cut',
        properties: { risk: 'low', quantities: { power: { value: '60', unit: 'W' } }, program: null },
      },
      resource: { type: 'device', id: 'laser-1' },
      context: { job: 'job-1', human: 'alice', parameters: { power: { value: '0.06', unit: 'kW' } } },
    })
  })

  const noes: [string, string, Answer][] = [
    ['no', 'decision-point-refuses', says('{"decision":false,"context":{"reason":"not today"}}')],
    ['a text that looks like yes', 'decision-point-malformed', says('{"decision":"true"}')],
    ['yes and no at once', 'decision-point-malformed', says('{"decision":false,"decision":true}')],
    ['nothing of a decision', 'decision-point-malformed', says('{}')],
    ['no JSON', 'decision-point-malformed', says('true')],
    ['another media type', 'decision-point-malformed', says('{"decision":true}', 200, 'text/html')],
    ['yes with another status', 'decision-point-unavailable', says('{"decision":true}', 201)],
    ['an error', 'decision-point-unavailable', says('{"decision":true}', 500)],
    [
      'a way to somebody else',
      'decision-point-unavailable',
      (_request, response) => response.writeHead(307, { location: `${url}/other` }).end(),
    ],
    ['more than anybody reads', 'decision-point-unavailable', says(`{"decision":true,"context":{"x":"${'x'.repeat(70_000)}"}}`)],
    ['a connection that breaks', 'decision-point-unavailable', (request) => request.socket.destroy()],
  ]
  it.each(noes)('is taken for a no where it says %s: %s', async (_what, reason, given) => {
    answer = given
    expect(await ask(entryOf())).toMatchObject({ verdict: 'DENY', reasons: [reason], policy: 'lab@7' })
  })

  it('is taken for a no where it does not answer in its time, or drop by drop', async () => {
    answer = () => {}
    expect(await ask(entryOf({ timeoutMs: 50 }))).toMatchObject({ verdict: 'DENY', reasons: ['decision-point-timeout'] })
    answer = (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' }).write('{')
      const drops = setInterval(() => response.write(' '), 10)
      response.on('close', () => clearInterval(drops))
    }
    expect(await ask(entryOf({ timeoutMs: 100 }))).toMatchObject({ verdict: 'DENY', reasons: ['decision-point-timeout'] })
  })

  it('is taken for a no where nobody is there, and its place is held by another kind of policy', async () => {
    expect(await ask(entryOf({ url: 'http://127.0.0.1:9/access/v1/evaluation' }))).toMatchObject({
      reasons: ['decision-point-unavailable'],
    })
    expect(await ask({ kind: 'approval' })).toMatchObject({ verdict: 'DENY', reasons: ['decision-point-malformed'] })
  })

  it('hears of no refusal, and allows nothing that the rules refuse', async () => {
    answer = () => {
      throw new Error('it was asked')
    }
    const denied: Verdict<'outside-grant'> = { verdict: 'DENY', reasons: ['outside-grant'], detail: {} }
    expect(await ask(entryOf(), denied)).toBe(denied)
  })

  it('is asked only where a signed entry names it, and no longer when it is retired', async () => {
    answer = says('{"decision":false}')
    expect(await ask(undefined)).toBe(allowed)
    expect(await ask(entryOf({ state: 'retired' }))).toBe(allowed)
  })

  it.each([
    ['gone', undefined],
    ['an old one that says retired', entryOf({ url: 'https://pdp.example/x', state: 'retired' })],
  ])('that the policy requires is a no where its entry is %s', async (_what, entry) => {
    const bounds = { kind: 'bounds', decisionPoint: 'required' }
    const missing = { verdict: 'DENY', reasons: ['decision-point-missing'], policy: 'lab@7' }
    expect(await ask(entry, allowed, bounds)).toMatchObject(missing)
  })

  it('that the policy requires is asked, and its yes is a yes', async () => {
    answer = says('{"decision":true}')
    expect(await ask(entryOf(), allowed, { kind: 'bounds', decisionPoint: 'required' })).toBe(allowed)
  })
})

describe('its settings', () => {
  it.each([
    'http://pdp.example/x',
    'ftp://127.0.0.1/x',
    'http://127.0.0.1.evil.example/x',
    'file:///etc/passwd',
    'http://127.0.0.1:80@evil.example/x',
    'http://localhost:x@evil.example/x',
    'https://user:secret@pdp.example/x',
  ])('no entry can name %s', (address) => expect(policyEntrySchema.safeParse(entryOf({ url: address })).success).toBe(false))

  it.each([
    'https://pdp.example/x',
    'http://127.0.0.1:8080/x',
    'http://localhost/x',
    'http://[::1]:8080/x',
  ])('an entry can name %s', (address) => expect(policyEntrySchema.safeParse(entryOf({ url: address })).success).toBe(true))

  it('a secret that others may read is refused, and so is half of a pair', () => {
    const open = join(directory, 'open')
    writeFileSync(open, 'secret', { mode: 0o644 })
    expect(() => new HttpDecisionPoint({ tokenFile: open })).toThrow('may be read by others')
    expect(() => parseBoundsSettings({ INTERLOCK_DECISION_POINT_KEY: 'key.pem' })).toThrow('belong together')
  })
})
