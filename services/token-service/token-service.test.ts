import { randomUUID } from 'node:crypto'
import type { AgentEntry, DeviceGrant, TaskTokenClaims } from '@interlock/contracts'
import { type RequestedJob, signAgentAssertion, TokenClient } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { agentSpiffeId, definitionHash, jobGrants } from '@interlock/sdk/trust-domain'
import { readTaskToken, type SigningKey, signJws, signTaskToken, verifyConsent, verifyDelegation, x5cOf } from '@interlock/trust'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { tokensOfJobMax } from './issue.ts'
import { startTestServer, type TestServer } from './test-server.ts'

const now = Math.floor(Date.now() / 1000) * 1000
const laser = agentSpiffeId('laser-operator', 'z1')
const mill = agentSpiffeId('mill-operator', 'z1')
const jwtType = 'urn:ietf:params:oauth:token-type:jwt'
const exchangeType = 'urn:ietf:params:oauth:grant-type:token-exchange'

let fixture: Fixture
let stranger: Fixture
let server: TestServer
let orchestrator: TokenClient
let key: (name: string) => SigningKey

beforeAll(async () => {
  fixture = await createFixture(now)
  stranger = await createFixture(now)
  key = fixture.key
})
beforeEach(async () => {
  // Agents' clocks and the server's are this one.
  vi.useFakeTimers({ toFake: ['Date'], now })
  server = await startTestServer(fixture)
  orchestrator = await TokenClient.open(server.issuer, key('agent-job-orchestrator-o1'))
})
afterEach(() => {
  server.stop()
  vi.useRealTimers()
})
const pass = (ms: number) => vi.setSystemTime(Date.now() + ms)

const laserGrants = jobGrants.filter(({ locations }) => locations.includes('laser-1'))
const withPower = (max: string): DeviceGrant[] =>
  laserGrants.map((grant) => ({ ...grant, limits: { ...grant.limits, power: { min: '1', max, unit: 'W' } } }))
const request = (change = {}): Promise<RequestedJob> =>
  orchestrator.requestJob({ human: 'alice', grants: jobGrants, mayDelegateTo: [laser, mill], ...change })
async function root(change = {}): Promise<string> {
  const job = await request(change)
  expect((await server.answer(job.userCode)).status).toBe(204)
  return orchestrator.rootToken(job)
}
const editAgent = (id: string, change: object) => server.agents.set(id, { ...server.agents.get(id), ...change } as AgentEntry)
const actorToken = (name = 'agent-laser-operator-z1') => signAgentAssertion(key(name), server.issuer)
async function child(token: string, change = {}): Promise<string> {
  return orchestrator.exchange({ token, actorToken: await actorToken(), grants: laserGrants, ...change })
}
const claimsOf = (token: string): TaskTokenClaims => {
  const read = readTaskToken(token)
  if (!read.ok) throw new Error(read.reason)
  return read.value.claims
}
/** Another token of the same job, as the topic would have it. */
function madeUp(token: string, number: number): string {
  const [header] = token.split('.')
  const claims = { ...claimsOf(token), jti: `${randomUUID()}-${number}` }
  return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
}
const reasonOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )
const verified = (tokens: string[], holder = 'agent-laser-operator-z1') =>
  verifyDelegation(tokens, {
    anchors: fixture.trust.anchors,
    now: Date.now(),
    skewMs: 30_000,
    revocations: server.revocations,
    agent: key(holder).spiffeId,
    thumbprint: key(holder).keyId,
  })

/** A request as an attacker writes it, field by field. */
async function post(
  path: string,
  fields: Record<string, string>,
  by?: string | SigningKey,
): Promise<{ status: number; body: unknown }> {
  const signer = typeof by === 'string' ? key(by) : by
  const body = new URLSearchParams({
    ...(signer && {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await signAgentAssertion(signer, server.issuer),
    }),
    ...fields,
  })
  const response = await fetch(`${server.issuer}${path}`, { method: 'POST', body })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}
const exchangeOf = (token: string, change: Record<string, string> = {}) =>
  post(
    '/token',
    { grant_type: exchangeType, subject_token: token, subject_token_type: jwtType, ...change },
    'agent-job-orchestrator-o1',
  )
const refusal = (error: string, status = 400) => ({ status, body: { error } })

describe('a job begins with its human', () => {
  it('who signs what they were shown; the root token carries it, and every verifier finds it good', async () => {
    const token = await root({ job: 'job-7' })
    const claims = claimsOf(token)
    expect(claims).toMatchObject({ sub: 'alice', job: 'job-7', act: { sub: key('agent-job-orchestrator-o1').spiffeId } })
    expect(claims.exp - claims.iat).toBeLessThanOrEqual(3600)
    expect(verified([token], 'agent-job-orchestrator-o1').ok).toBe(true)
    const human = server.agents.get('human:alice') as Extract<AgentEntry, { kind: 'human' }>
    const consent = await verifyConsent({ root: claims, human, expected: fixture.trust.anchors.webauthn, skewMs: 30_000 })
    expect(consent).toMatchObject({ ok: true, value: { summary: expect.stringContaining('power 1 to 80 W') } })
  })

  it('and until they have signed there is no token', async () => {
    const job = await request()
    const polled = () =>
      post(
        '/token',
        { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: job.deviceCode },
        'agent-job-orchestrator-o1',
      )
    expect(await polled()).toEqual(refusal('authorization_pending'))
    expect(await polled()).toEqual(refusal('slow_down'))
    pass(601_000)
    expect(await polled()).toEqual(refusal('expired_token'))
  })

  it.each([
    ['another human', 'bob', undefined],
    ['for other grants than were shown', 'alice', { grants: withPower('120') }],
    ['for another job', 'alice', { job: 'job-x' }],
  ])('a signature of %s is none', async (_what, human, change) => {
    const job = await request()
    const answered = await server.answer(job.userCode, human, (asked) => ({ ...asked, ...change }))
    expect([answered.status, await answered.json()]).toEqual([400, { error: 'access_denied' }])
    expect((await server.answer(job.userCode)).status).toBe(204)
  })

  it('a no ends it', async () => {
    const job = await request()
    await fetch(`${server.issuer}/grants/${job.userCode}`, { method: 'DELETE' })
    expect(await reasonOf(orchestrator.rootToken(job))).toBe('access_denied')
    expect((await fetch(`${server.issuer}/grants/${job.userCode}`)).status).toBe(400)
  })

  it('its code is for one token, and for the agent that asked', async () => {
    const job = await request()
    await server.answer(job.userCode)
    const other = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
    expect(await reasonOf(other.rootToken(job))).toBe('invalid_grant')
    expect(await reasonOf(orchestrator.rootToken(job))).toBe('done')
    expect(await reasonOf(orchestrator.rootToken(job))).toBe('invalid_grant')
  })

  it('a human who was taken away between signing and issuing gets no token', async () => {
    const job = await request()
    await server.answer(job.userCode)
    server.revocations.set('human:alice', { kind: 'human', subject: 'alice', from: now, reason: 'test' })
    expect(await reasonOf(orchestrator.rootToken(job))).toBe('access_denied')
  })

  it.each([
    ['nobody', { human: 'nobody' }, 'access_denied'],
    ['a human who only approves', { human: 'bob' }, 'access_denied'],
    ['a name that is no name', { job: '../x' }, 'invalid_request'],
    ['a life of a week', { lifetime: 604_800 }, 'invalid_request'],
    ['grants that do not fit the schema', { grants: [{ type: 'all' }] }, 'invalid_authorization_details'],
    ['no grants', { grants: [] }, 'invalid_authorization_details'],
  ])('%s cannot be asked for', async (_what, change, code) => expect(await reasonOf(request(change))).toBe(code))

  it('a job’s name belongs to who has it', async () => {
    await root({ job: 'job-9' })
    const other = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
    expect(await reasonOf(other.requestJob({ human: 'alice', grants: jobGrants, job: 'job-9' }))).toBe('invalid_request')
  })

  it('an agent cannot bury its human in questions', async () => {
    for (let count = 0; count < 20; count += 1) await request()
    expect(await reasonOf(request())).toBe('slow_down')
  })
})

describe('a token for a sub-agent', () => {
  it('is narrower, bound to the sub-agent’s certificate, and counts with its parent', async () => {
    const first = await root()
    const second = await child(first, { grants: withPower('40') })
    const found = verified([first, second])
    expect(found.ok && found.value.actors).toEqual([key('agent-job-orchestrator-o1').spiffeId, laser])
    expect(claimsOf(second).cnf['x5t#S256']).toBe(key('agent-laser-operator-z1').keyId)
  })

  it('can be narrowed further, by exchange or offline, as far as may_act goes', async () => {
    const first = await root()
    const second = await child(first, { mayDelegateTo: [mill] })
    const client = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
    const third = await client.exchange({ token: second, actorToken: await actorToken('agent-mill-operator-z1') })
    expect(verified([first, second, third], 'agent-mill-operator-z1').ok).toBe(true)
  })

  it.each([
    ['122: a higher limit', { grants: withPower('81') }, 'invalid_authorization_details'],
    ['122: another device', { grants: [{ ...laserGrants[0], locations: ['robot-1'] }] }, 'invalid_authorization_details'],
    ['122: a limit less', { grants: [{ ...laserGrants[0], limits: {} }] }, 'invalid_authorization_details'],
    ['122: to delegate to whom the parent does not name', { mayDelegateTo: [`${mill}x`] }, 'invalid_target'],
  ])('attack %s is refused, not narrowed', async (_what, change, code) => {
    const first = await root()
    const before = server.recorded.length
    expect(await reasonOf(child(first, change))).toBe(code)
    expect(server.recorded).toHaveLength(before)
  })

  it('attack 46: goes to nobody who is in the chain already', async () => {
    const first = await root({ mayDelegateTo: [laser, mill] })
    const second = await child(first, { mayDelegateTo: [laser, mill] })
    const client = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
    expect(await reasonOf(client.exchange({ token: second, actorToken: await actorToken() }))).toBe('invalid_target')
  })

  it('is issued a thousand times for one job, not more', async () => {
    const first = await root({ job: 'job-many' })
    for (let count = 1; count < tokensOfJobMax; count += 1) server.issued.add(madeUp(first, count))
    expect(await reasonOf(child(first))).toBe('temporarily_unavailable')
    expect(await reasonOf(child(await root()))).toBe('done')
  })

  it('attack 49: goes to nobody whom its parent does not name', async () => {
    const first = await root({ mayDelegateTo: [mill] })
    expect(await reasonOf(child(first))).toBe('invalid_target')
  })

  it('never outlives its parent', async () => {
    const first = await root()
    pass(3_500_000)
    expect(claimsOf(await child(first)).exp).toBe(claimsOf(first).exp)
  })

  it.each([
    ['121: of another issuer', async () => stranger.job.tokens['agent-job-orchestrator-o1']?.[0] ?? ''],
    ['121: that the agent signed itself', async () => signTaskToken(claimsOf(await root()), key('agent-job-orchestrator-o1'))],
    ['121: signed by us and never recorded', async () => fixture.job.tokens['agent-job-orchestrator-o1']?.[0] ?? ''],
    [
      '128: by a key that nobody knows',
      async () => signTaskToken(claimsOf(await root()), { kid: stranger.key('service-token') }),
    ],
    [
      '121: by another service of ours',
      async () =>
        signTaskToken({ ...claimsOf(await root()), iss: key('service-registry').spiffeId }, { kid: key('service-registry') }),
    ],
    ['42: written in another way', async () => `${await root()}=`],
    ['59: that is no JWS', async () => 'a.b.c.d.e'],
  ])('attack %s: a subject token counts for nothing', async (_what, make) => {
    expect(await exchangeOf(await make())).toEqual(refusal('invalid_grant'))
  })

  it('attack 121: an expired one counts for nothing', async () => {
    const first = await root()
    pass(3_600_000)
    expect(await exchangeOf(first)).toEqual(refusal('invalid_grant'))
  })

  it.each([
    ...(['token', 'job', 'human', 'agent', 'certificate', 'definition', 'enforcer-key'] as const),
  ])('attack 121: nor one whose %s is revoked', async (kind) => {
    const first = await root({ job: 'job-r' })
    const second = await child(first)
    const { iss, jti } = claimsOf(first)
    const { spiffeId, keyId } = key('agent-job-orchestrator-o1')
    const subject = {
      token: `${iss} ${jti}`,
      job: 'job-r',
      human: 'alice',
      agent: spiffeId,
      certificate: keyId,
      definition: definitionHash('job-orchestrator'),
      'enforcer-key': key('service-token').keyId,
    }[kind]
    server.revocations.set(`${kind}:${subject}`, { kind, subject, from: now, reason: 'test' })
    const client = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
    expect((await client.introspect(second)).active).toBe(false)
    expect(await reasonOf(client.renew(second))).toBe('invalid_grant')
  })

  it.each<[string, (agent: string) => void]>([
    ['lapsed', (agent) => editAgent(`instance:${agent}`, { state: 'lapsed' })],
    ['is suspended', (agent) => editAgent(`instance:${agent}`, { state: 'suspended' })],
    ['is gone', (agent) => server.agents.delete(`instance:${agent}`)],
    ['has a suspended definition', () => editAgent('definition:job-orchestrator', { state: 'suspended' })],
  ])('attack 57: nor one that came over an agent that %s', async (_what, fall) => {
    const second = await child(await root())
    const client = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
    expect((await client.introspect(second)).active).toBe(true)
    fall(key('agent-job-orchestrator-o1').spiffeId)
    expect((await client.introspect(second)).active).toBe(false)
    expect(await reasonOf(client.renew(second))).toBe('invalid_grant')
  })

  it('attack 121: of a type that nobody registered is refused', async () => {
    expect(await exchangeOf(await root(), { subject_token_type: 'urn:x' })).toEqual(refusal('invalid_request'))
    expect(await exchangeOf(await root(), { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' })).toEqual(
      refusal('invalid_request'),
    )
  })

  it.each(['audience', 'resource'])('attacks 122 and 127: another %s is refused, and no address is asked', async (name) => {
    expect(await exchangeOf(await root(), { [name]: 'http://127.0.0.1:1/' })).toEqual(refusal('invalid_target'))
  })

  it('is not given to another agent than the one that holds the parent', async () => {
    const first = await root()
    const thief = await TokenClient.open(server.issuer, key('agent-mill-operator-z1'))
    expect(await reasonOf(thief.exchange({ token: first, actorToken: await actorToken() }))).toBe('invalid_grant')
  })

  it('is not given to a sub-agent that does not prove itself, nor twice by one proof', async () => {
    const first = await root()
    const proof = await actorToken()
    expect(await reasonOf(child(first, { actorToken: proof }))).toBe('done')
    expect(await reasonOf(child(first, { actorToken: proof }))).toBe('invalid_grant')
    expect(
      await reasonOf(
        child(first, { actorToken: await signAgentAssertion(stranger.key('agent-laser-operator-z1'), server.issuer) }),
      ),
    ).toBe('invalid_grant')
  })
})

describe('renewal', () => {
  it('gives the same grant a fresh life, and no more than the human signed for', async () => {
    const first = await root({ lifetime: 5400 })
    pass(3_000_000)
    const again = claimsOf(await orchestrator.renew(first))
    expect(again.exp).toBeGreaterThan(claimsOf(first).exp)
    expect(again.authorization_details).toEqual(claimsOf(first).authorization_details)
    const until = now + 5_400_000
    pass(2_000_000)
    expect(await reasonOf(orchestrator.renew(first))).toBe('invalid_grant')
    expect(again.exp * 1000).toBeLessThanOrEqual(until + 1000)
  })

  it('of a child hangs on the same parent', async () => {
    const first = await root()
    const second = await child(first)
    const client = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
    const again = await client.renew(second)
    expect(claimsOf(again).parent).toBe(claimsOf(second).parent)
    expect(verified([first, again]).ok).toBe(true)
  })

  it('attack 126: there are no refresh tokens that could be played again', async () => {
    const answer = await exchangeOf(await root())
    expect(answer.body).not.toHaveProperty('refresh_token')
    expect(await post('/token', { grant_type: 'refresh_token', refresh_token: 'x' }, 'agent-job-orchestrator-o1')).toEqual(
      refusal('unsupported_grant_type'),
    )
  })
})

describe('attack 123: who is no client learns only that', () => {
  const assert = async (change: object, by = key('agent-job-orchestrator-o1'), header: object = { x5c: x5cOf(by.chain) }) => {
    const iat = Math.floor(now / 1000)
    const claims = { iss: by.spiffeId, sub: by.spiffeId, aud: server.issuer, jti: randomUUID(), iat, exp: iat + 60, ...change }
    return signJws({ typ: 'JWT', ...header }, claims, by)
  }
  const asking = async (client_assertion: string, more = {}) =>
    post('/introspect', {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion,
      token: 'x',
      ...more,
    })

  it.each<[string, () => Promise<string>]>([
    ['an assertion for another server', () => assert({ aud: 'https://other.example' })],
    ['for several servers', () => assert({ aud: [server.issuer, 'https://other.example'] })],
    ['that lives ten years', () => assert({ exp: Math.floor(now / 1000) + 315_360_000 })],
    ['that is over', () => assert({ iat: Math.floor(now / 1000) - 120, exp: Math.floor(now / 1000) - 60 })],
    ['from the future', () => assert({ iat: Math.floor(now / 1000) + 120, exp: Math.floor(now / 1000) + 180 })],
    ['from before this process began', () => assert({ iat: Math.floor(now / 1000) - 20, exp: Math.floor(now / 1000) + 60 })],
    ['in another agent’s name', () => assert({ sub: laser })],
    ['of another issuer', () => assert({ iss: laser })],
    ['without an id', () => assert({ jti: undefined })],
    ['by a stranger’s key', () => assert({}, stranger.key('agent-job-orchestrator-o1'))],
    [
      'with another agent’s certificate',
      () => assert({}, key('agent-job-orchestrator-o1'), { x5c: x5cOf(key('agent-laser-operator-z1').chain) }),
    ],
    ['with its own key in the header', () => assert({}, key('agent-job-orchestrator-o1'), { jwk: {} })],
    ['by a service', () => assert({}, key('service-registry'))],
    ['that is none', async () => 'none'],
  ])('%s', async (_what, make) => expect(await asking(await make())).toEqual(refusal('invalid_client', 401)))

  it('the same assertion twice', async () => {
    const once = await assert({})
    expect((await asking(once)).status).toBe(200)
    expect(await asking(once)).toEqual(refusal('invalid_client', 401))
  })

  it('an assertion and another client_id', async () =>
    expect(await asking(await assert({}), { client_id: laser })).toEqual(refusal('invalid_client', 401)))

  it.each<[string, () => void]>([
    ['the agent', () => revoke('agent', key('agent-job-orchestrator-o1').spiffeId)],
    ['its certificate', () => revoke('certificate', key('agent-job-orchestrator-o1').keyId)],
    [
      'its instance, which is suspended',
      () => edit(`instance:${key('agent-job-orchestrator-o1').spiffeId}`, { state: 'suspended' }),
    ],
    ['its definition, which is retired', () => edit('definition:job-orchestrator', { state: 'retired' })],
    ['its definition, which was changed', () => edit('definition:job-orchestrator', { hash: 'B'.repeat(43) })],
  ])('of what does not count any more: %s', async (_what, end) => {
    end()
    expect(await asking(await assert({}))).toEqual(refusal('invalid_client', 401))
  })

  const revoke = (kind: 'agent' | 'certificate', subject: string) =>
    server.revocations.set(`${kind}:${subject}`, { kind, subject, from: now, reason: 'test' })
  const edit = (id: string, change: object) => server.agents.set(id, { ...server.agents.get(id), ...change } as AgentEntry)
})

describe('what is known of a token', () => {
  it('is told to its holder and to those above, and to nobody else (attack 129)', async () => {
    const first = await root()
    const second = await child(first)
    const client = (name: string) => TokenClient.open(server.issuer, key(name))
    expect(await orchestrator.introspect(second)).toMatchObject({ active: true, sub: 'alice', client_id: laser })
    expect(await (await client('agent-laser-operator-z1')).introspect(second)).toMatchObject({ active: true })
    expect(await (await client('agent-mill-operator-z1')).introspect(second)).toEqual({ active: false })
    expect(await (await client('agent-laser-operator-z1')).introspect(first)).toEqual({ active: false })
  })

  it('does not contain the human’s signature', async () =>
    expect(await orchestrator.introspect(await root())).not.toHaveProperty('consent'))

  it('attack 124: is that no bearer can use it', async () => {
    const first = await root()
    expect(verified([first])).toMatchObject({ ok: false, reason: 'token-bound-to-another' })
    expect(await post('/introspect', { token: first })).toEqual(refusal('invalid_client', 401))
  })
})

describe('an end', () => {
  it('of a token is the end of all that hang on it', async () => {
    const first = await root()
    const second = await child(first)
    await orchestrator.revoke(first)
    expect(verified([first, second])).toMatchObject({ ok: false, reason: 'revoked' })
    expect((await orchestrator.introspect(second)).active).toBe(false)
  })

  it('attack 129: of somebody else’s token is refused; of what nobody knows it is already there', async () => {
    const first = await root()
    expect(await post('/revoke', { token: first }, 'agent-mill-operator-z1')).toEqual(refusal('invalid_grant'))
    expect((await post('/revoke', { token: 'unknown' }, 'agent-mill-operator-z1')).status).toBe(200)
    expect(server.revocations.size).toBe(0)
  })

  it('of a job ends every token of it, renewed ones too, by its orchestrator alone', async () => {
    const first = await root({ job: 'job-e' })
    const again = await orchestrator.renew(first)
    expect(await post('/jobs/end', { job: 'job-e' }, 'agent-laser-operator-z1')).toEqual(refusal('invalid_grant'))
    expect((await post('/jobs/end', { job: 'job-e' }, 'agent-job-orchestrator-o1')).status).toBe(200)
    expect(verified([again], 'agent-job-orchestrator-o1')).toMatchObject({ ok: false, reason: 'revoked' })
  })
})

describe('the server', () => {
  it('hands out nothing that it could not record', async () => {
    const first = await root()
    server.isLogAway = true
    const answer = await exchangeOf(first)
    expect(answer).toEqual({ status: 500, body: { error: 'server_error' } })
    server.isLogAway = false
    expect(server.recorded).toHaveLength(1)
  })

  it('describes itself (RFC 8414), its key and its grants', async () => {
    const get = async (path: string) => (await fetch(`${server.issuer}${path}`)).json() as Promise<Record<string, unknown>>
    expect(await get('/.well-known/oauth-authorization-server')).toMatchObject({
      issuer: server.issuer,
      token_endpoint_auth_methods_supported: ['private_key_jwt'],
      tls_client_certificate_bound_access_tokens: true,
    })
    expect(await get('/jwks.json')).toMatchObject({ keys: [{ kid: key('service-token').keyId, alg: 'ES256' }] })
    expect(await get('/authorization-details.schema.json')).toMatchObject({
      required: expect.arrayContaining(['locations', 'maxCount']),
    })
  })

  it.each([
    ['a parameter twice', 'grant_type=a&grant_type=b', 'application/x-www-form-urlencoded', 400],
    ['another content type', '{}', 'application/json', 400],
    ['a body without end', `a=${'x'.repeat(200_000)}`, 'application/x-www-form-urlencoded', 413],
  ])('refuses %s', async (_what, body, type, status) => {
    const response = await fetch(`${server.issuer}/token`, { method: 'POST', body, headers: { 'content-type': type } })
    expect([response.status, await response.json()]).toEqual([status, { error: 'invalid_request' }])
    expect(response.headers.get('cache-control')).toBe('no-store')
  })

  it('says to its log why it refused, and to the client no word of it', async () => {
    expect(await exchangeOf('x')).toEqual(refusal('invalid_grant'))
    expect(server.causes).toEqual(['subject_token'])
  })
})
