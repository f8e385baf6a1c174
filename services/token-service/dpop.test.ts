import { signAgentAssertion, signDpopProof, TokenClient } from '@interlock/sdk'
import { jwkThumbprint, type SigningKey, validateSvid } from '@interlock/trust'
import { describe, expect, it } from 'vitest'
import {
  actorToken,
  answerTo,
  assertionType,
  claimsOf,
  exchangeOf,
  exchangeType,
  fixture,
  jwtType,
  key,
  laser,
  laserGrants,
  now,
  orchestrator,
  reasonOf,
  refused,
  root,
  server,
  stranger,
  useTokenService,
  verified,
} from './test-world.ts'

useTokenService()

const orchestratorName = 'agent-job-orchestrator-o1'
const proving = (name = orchestratorName) => TokenClient.open(server.issuer, key(name), { dpop: true })
const jktOf = (name: string) => {
  const svid = validateSvid(key(name).chain, fixture.trust.anchors, now, 0)
  return svid.ok ? jwkThumbprint(svid.value.publicKey) : svid.reason
}

/** A root token that was asked for with DPoP. */
async function provenRoot(): Promise<string> {
  const client = await proving()
  const job = await client.requestJob({ human: 'alice', grants: laserGrants, mayDelegateTo: [laser] })
  await server.answer(job.userCode)
  return client.rootToken(job)
}

async function exchange(token: string, dpop: string | undefined, by: SigningKey = key(orchestratorName)) {
  const body = new URLSearchParams({
    client_assertion_type: assertionType,
    client_assertion: await signAgentAssertion(by, server.issuer, 'client'),
    grant_type: exchangeType,
    subject_token: token,
    subject_token_type: jwtType,
  })
  const headers = dpop === undefined ? {} : { dpop }
  const response = await fetch(`${server.issuer}/token`, { method: 'POST', headers, body })
  return { status: response.status, body: (await response.json()) as Record<string, unknown> }
}
const proof = (change: Partial<Parameters<typeof signDpopProof>[1]> = {}, by = key(orchestratorName)) =>
  signDpopProof(by, { method: 'POST', url: `${server.issuer}/token`, ...change })

describe('a DPoP proof beside the client’s own', () => {
  it('makes a token that names certificate and key, and is called DPoP', async () => {
    const first = await provenRoot()
    const { keyId } = key(orchestratorName)
    expect(claimsOf(first).cnf).toEqual({ 'x5t#S256': keyId, jkt: jktOf(orchestratorName) })
    expect(verified([first], orchestratorName).ok).toBe(true)
    const { status, body } = await exchange(first, await proof())
    expect([status, body.token_type]).toEqual([200, 'DPoP'])
    expect(await orchestrator.introspect(first)).toMatchObject({ active: true, token_type: 'DPoP' })
  })

  it('makes a sub-agent’s token name the sub-agent’s key', async () => {
    const first = await provenRoot()
    const second = await (await proving()).exchange({ token: first, actorToken: await actorToken(), grants: laserGrants })
    const { keyId } = key('agent-laser-operator-z1')
    expect(claimsOf(second).cnf).toEqual({ 'x5t#S256': keyId, jkt: jktOf('agent-laser-operator-z1') })
    expect(verified([first, second]).ok).toBe(true)
    expect(await reasonOf((await proving('agent-laser-operator-z1')).renew(second))).toBe('done')
  })

  it.each<[string, () => Promise<string>, string]>([
    ['attack 36: for another method', () => proof({ method: 'GET' }), 'method'],
    ['attack 36: for another endpoint', () => proof({ url: `${server.issuer}/revoke` }), 'address'],
    ['attack 36: for another listener of ours', () => proof({ url: `${server.mtlsUrl}/token` }), 'address'],
    ['attack 37: ten minutes old', () => proof({ now: now - 600_000 }), 'expired'],
    ['attack 37: ten minutes ahead', () => proof({ now: now + 600_000 }), 'not-yet-valid'],
    ['dated further ahead than a restart is apart', () => proof({ now: now + 3000 }), 'not-yet-valid'],
    ['from before this process began to remember', () => proof({ now: now - 20_000 }), 'before-start'],
    ['attack 38: by another agent’s key', () => proof({}, key('agent-laser-operator-z1')), 'another key'],
    ['attack 38: by a stranger’s', () => proof({}, stranger.key(orchestratorName)), 'another key'],
    ['that is none', async () => 'none', 'jws-malformed'],
    ['two of them', async () => `${await proof()}, ${await proof()}`, 'jws-malformed'],
  ])('is refused: %s', async (_what, make, cause) => {
    const first = await root()
    const before = server.recorded.length
    expect(await answerTo(exchange(first, await make()))).toEqual(refused('invalid_dpop_proof', cause))
    expect(server.recorded).toHaveLength(before)
  })

  it('attack 36: counts once', async () => {
    const [first, once] = [await root(), await proof()]
    expect((await exchange(first, once)).status).toBe(200)
    expect(await answerTo(exchange(first, once))).toEqual(refused('invalid_dpop_proof', 'replayed'))
  })

  it('is no way to be a client', async () => {
    const headers = { dpop: await proof({ url: `${server.issuer}/introspect` }) }
    const response = await fetch(`${server.issuer}/introspect`, {
      method: 'POST',
      headers,
      body: new URLSearchParams({ token: 'x' }),
    })
    expect([response.status, await response.json()]).toEqual([401, { error: 'invalid_client' }])
  })
})

describe('attack 124: nobody gets a token that is bound less', () => {
  it('what was asked for with a proof is neither renewed nor handed on without', async () => {
    const first = await provenRoot()
    const none = refused('invalid_dpop_proof', 'none, and the token demands one')
    expect(await answerTo(exchangeOf(first))).toEqual(none)
    const actor = { actor_token: await actorToken(), actor_token_type: jwtType }
    expect(await answerTo(exchangeOf(first, actor))).toEqual(none)
  })

  it.each([
    ['another token type', { requested_token_type: 'urn:ietf:params:oauth:token-type:access_token' }],
    ['a bearer token', { token_type: 'Bearer' }],
    ['another key', { cnf: '{}', req_cnf: 'e30', dpop_jkt: 'A'.repeat(43) }],
  ])('who asks for %s gets one that is bound to its certificate all the same', async (_what, change) => {
    const first = await root()
    const { body } = await exchangeOf(first, change)
    const token = (body as { access_token: string }).access_token
    expect(claimsOf(token).cnf).toEqual({ 'x5t#S256': key(orchestratorName).keyId })
    expect(verified([token])).toMatchObject({ ok: false, reason: 'token-bound-to-another' })
  })

  it('a client without a proof of itself gets none', async () => {
    const fields = new URLSearchParams({ grant_type: exchangeType, subject_token: await root(), subject_token_type: jwtType })
    const response = await fetch(`${server.issuer}/token`, { method: 'POST', body: fields })
    expect([response.status, await response.json()]).toEqual([401, { error: 'invalid_client' }])
    expect(server.causes.at(-1)).toBe('client_assertion_type')
  })
})
