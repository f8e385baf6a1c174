import { createServer } from 'node:http'
import { type AddressInfo, createConnection } from 'node:net'
import type { TaskTokenClaims, TrustBundle } from '@interlock/contracts'
import { openTrustBundle, type SigningKey, signingKey, signJws, signTaskToken, verifyDelegation, x5cOf } from '@interlock/trust'
import { issueIdentity } from '@interlock/trust/issue'
import { describe, expect, it } from 'vitest'
import {
  answerTo,
  assertionType,
  child,
  claimsOf,
  deviceCodeType,
  exchangeOf,
  exchangeType,
  fixture,
  forSubAgent,
  jwtType,
  key,
  laser,
  laserGrants,
  now,
  orchestrator,
  pass,
  post,
  refused,
  request,
  root,
  server,
  useTokenService,
  verified,
} from './test-world.ts'

useTokenService()

const orchestratorName = 'agent-job-orchestrator-o1'

describe('attack 126: there is no refresh token that could be played again', () => {
  it('none is handed out and none is taken', async () => {
    const answer = await exchangeOf(await root())
    expect(answer.body).not.toHaveProperty('refresh_token')
    const fields = { grant_type: 'refresh_token', refresh_token: 'x' }
    expect(await answerTo(post('/token', fields, orchestratorName))).toEqual(refused('unsupported_grant_type', 'refresh_token'))
  })

  it('a token that was renewed goes on to its own end and no further, and ends with its job like the new one', async () => {
    const first = await root({ job: 'job-n' })
    pass(1_800_000)
    const again = await orchestrator.renew(first)
    // Played again, by its holder: to another agent it is of no use (attack 124). What it could become is what the human signed for, all the same.
    const twice = await orchestrator.renew(first)
    expect(claimsOf(twice).authorization_details).toEqual(claimsOf(first).authorization_details)
    expect(claimsOf(again).exp * 1000).toBeLessThanOrEqual(now + 3_600_000)
    expect((await post('/jobs/end', { job: 'job-n' }, orchestratorName)).status).toBe(200)
    for (const token of [first, again, twice]) {
      expect(verified([token], orchestratorName)).toMatchObject({ ok: false, reason: 'revoked' })
      expect(await answerTo(exchangeOf(token))).toEqual(refused('invalid_grant', 'revoked'))
    }
  })
})

describe('attack 127: no address that a client writes is ever asked', () => {
  it('not in any parameter, header or name, at any endpoint', async () => {
    const seen: string[] = []
    const trap = createServer((asked, answer) => {
      seen.push(asked.url ?? '')
      answer.end('{}')
    })
    trap.on('connection', () => seen.push('connection'))
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve))
    const { port } = trap.address() as AddressInfo
    const address = `http://127.0.0.1:${port}/internal`
    const by = key(orchestratorName)
    const iat = Math.floor(now / 1000)
    const assertion = (header: object, claims: object = {}) =>
      signJws(
        { typ: 'JWT', x5c: x5cOf(by.chain), ...header },
        {
          iss: by.spiffeId,
          sub: by.spiffeId,
          aud: server.issuer,
          jti: `${Math.random()}-0123456789`,
          iat,
          exp: iat + 60,
          ...claims,
        },
        by,
      )
    const names = [
      'resource',
      'audience',
      'jwks_uri',
      'client_uri',
      'redirect_uri',
      'request_uri',
      'sector_identifier_uri',
      'scope',
    ]
    const headers = [{ jku: address }, { x5u: address }, { kid: address }, { jwk: { kty: 'EC', x5u: address } }, { url: address }]
    const token = await root()
    const exchange = { grant_type: exchangeType, subject_token: token, subject_token_type: jwtType }
    for (const name of names) await post('/token', { ...exchange, [name]: address }, orchestratorName)
    for (const path of ['/token', '/introspect', '/revoke', '/device_authorization']) {
      // A client_id that is an address of the client's metadata (CIMD).
      expect((await post(path, { ...exchange, token, client_id: address }, orchestratorName)).status).toBe(401)
      for (const header of headers) {
        const client_assertion = await assertion(header)
        await post(path, { ...exchange, token, client_assertion_type: assertionType, client_assertion })
      }
      const client_assertion = await assertion({}, { iss: address, sub: address })
      const answer = post(path, { ...exchange, token, client_assertion_type: assertionType, client_assertion })
      expect(await answerTo(answer)).toEqual(refused('invalid_client', 'subject', 401))
    }
    const details = laserGrants.map((grant) => ({ ...grant, locations: [address] }))
    await forSubAgent(token, { authorization_details: JSON.stringify(details) })
    await request({ human: address }).catch(() => {})
    await fetch(`${server.issuer}/grants/${encodeURIComponent(address)}`)
    expect(seen).toEqual([])
    // The trap does see who comes.
    await new Promise<void>((resolve) => createConnection(port, '127.0.0.1', resolve))
    await expect.poll(() => seen).toEqual(['connection'])
    trap.closeAllConnections()
    trap.close()
  })
})

describe('attack 128: while the key of the token service is replaced', () => {
  async function nextKey(): Promise<SigningKey> {
    const { spiffeId } = key('service-token')
    const { privateKey, chain } = await issueIdentity(fixture.domain.issuer, { name: 'service-token', spiffeId }, now)
    return signingKey(privateKey, chain)
  }
  const own = (bundle: TrustBundle) =>
    bundle.signers.filter(([leaf]) => leaf !== (key('service-token').chain[0] as Buffer).toString('base64url'))
  const chainOf = ({ chain }: SigningKey) => chain.map((der) => der.toString('base64url'))
  const bundleWith = (...keys: SigningKey[]): TrustBundle => ({
    ...fixture.domain.bundle,
    signers: [...own(fixture.domain.bundle), ...keys.map(chainOf)],
  })
  const reasonUnder = (bundle: TrustBundle, token: string) => {
    const found = verifyDelegation([token], {
      anchors: openTrustBundle(bundle),
      now: Date.now(),
      skewMs: 30_000,
      revocations: server.revocations,
      agent: key(orchestratorName).spiffeId,
      thumbprint: key(orchestratorName).keyId,
    })
    return found.ok ? 'good' : found.reason
  }
  const resigned = (claims: TaskTokenClaims, by: SigningKey) => signTaskToken(claims, { kid: by })

  it('tokens of both count as long as the trust bundle has both, and of neither beyond', async () => {
    const [last, next] = [key('service-token'), await nextKey()]
    const old = await root()
    const young = await resigned(claimsOf(old), next)
    // Nobody fetches keys: a verifier knows what its bundle has. So the next is in every bundle before its first token.
    expect([reasonUnder(bundleWith(last), old), reasonUnder(bundleWith(last), young)]).toEqual(['good', 'root-signer'])
    expect([reasonUnder(bundleWith(last, next), old), reasonUnder(bundleWith(last, next), young)]).toEqual(['good', 'good'])
    // Removed a second ago: nothing that it signed counts, not even what was found good just before.
    expect([reasonUnder(bundleWith(next), old), reasonUnder(bundleWith(next), young)]).toEqual(['root-signer', 'good'])
  })

  it('a key that was stolen counts for nothing from its revocation on, whatever time is in its tokens', async () => {
    const first = await root()
    expect(reasonUnder(fixture.domain.bundle, first)).toBe('good')
    const { keyId } = key('service-token')
    server.revocations.set(`enforcer-key:${keyId}`, { kind: 'enforcer-key', subject: keyId, from: now, reason: 'test' })
    expect(reasonUnder(fixture.domain.bundle, first)).toBe('revoked')
    expect(await answerTo(exchangeOf(first))).toEqual(refused('invalid_grant', 'signer-revoked'))
  })

  it('a token by a key that is in no bundle is exchanged for nothing', async () => {
    const young = await resigned(claimsOf(await root()), await nextKey())
    expect(await answerTo(exchangeOf(young))).toEqual(refused('invalid_grant', 'signer-unknown'))
    expect(await answerTo(post('/introspect', { token: young }, orchestratorName))).toMatchObject({ body: { active: false } })
  })
})

describe('attack 129: of somebody else’s token', () => {
  it('nothing is told, and it is not ended; what nobody knows is ended already', async () => {
    const first = await root()
    const second = await child(first)
    const asked = (path: string, token: string, by: string) => answerTo(post(path, { token }, by))
    expect(await asked('/introspect', second, 'agent-mill-operator-z1')).toEqual({
      status: 200,
      body: { active: false },
      causes: [],
    })
    expect(await asked('/introspect', first, 'agent-laser-operator-z1')).toMatchObject({ body: { active: false } })
    expect(await asked('/introspect', second, orchestratorName)).toMatchObject({ body: { active: true, client_id: laser } })
    expect(await asked('/revoke', first, 'agent-mill-operator-z1')).toEqual(refused('invalid_grant', 'somebody else’s token'))
    expect(await asked('/revoke', 'unknown', 'agent-mill-operator-z1')).toEqual({ status: 200, body: undefined, causes: [] })
    expect(server.revocations.size).toBe(0)
  })

  it('the answer to a grant request goes to who asked for it alone', async () => {
    const job = await request()
    await server.answer(job.userCode)
    const fields = { grant_type: deviceCodeType, device_code: job.deviceCode }
    expect(await answerTo(post('/token', fields, 'agent-mill-operator-z1'))).toEqual(refused('invalid_grant', 'device code'))
  })
})
