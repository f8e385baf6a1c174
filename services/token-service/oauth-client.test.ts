import { createPublicKey, type KeyObject } from 'node:crypto'
import { jwkThumbprint, x5cOf } from '@interlock/trust'
import type { Identity } from '@interlock/trust/issue'
import * as oauth from 'oauth4webapi'
import { describe, expect, it } from 'vitest'
import { tlsFetch } from './test-mutual-tls.ts'
import {
  actorToken,
  claimsOf,
  exchangeType,
  fixture,
  jwtType,
  key,
  laser,
  laserGrants,
  now,
  server,
  useTokenService,
  verified,
  withPower,
} from './test-world.ts'

useTokenService()

const identityOf = (name: string) => fixture.domain.identities.get(name) as Identity
const ecdsa = { name: 'ECDSA', namedCurve: 'P-256' }
const webKey = (key: KeyObject, usage: 'sign' | 'verify') => key.toCryptoKey(ecdsa, usage === 'verify', [usage])

/** oauth4webapi as it comes, for one agent. `x5c` goes into its assertion by the hook that the library has for such things. */
async function clientOf(name: string, { mtls, dpop }: { mtls: boolean; dpop: boolean }) {
  const { privateKey, chain, spiffeId } = identityOf(name)
  const issuer = new URL(server.issuer)
  const insecure = { [oauth.allowInsecureRequests]: true }
  const as = await oauth.processDiscoveryResponse(
    issuer,
    await oauth.discoveryRequest(issuer, { algorithm: 'oauth2', ...insecure }),
  )
  const client: oauth.Client = { client_id: spiffeId, use_mtls_endpoint_aliases: mtls }
  const withChain = (header: Record<string, oauth.JsonValue | undefined>) => {
    header.x5c = x5cOf(chain)
  }
  const authentication = mtls
    ? oauth.TlsClientAuth()
    : oauth.PrivateKeyJwt(webKey(privateKey, 'sign'), { [oauth.modifyAssertion]: withChain })
  const keyPair: Parameters<typeof oauth.DPoP>[1] = {
    privateKey: webKey(privateKey, 'sign'),
    publicKey: webKey(createPublicKey(privateKey), 'verify'),
  }
  const options = mtls ? { [oauth.customFetch]: tlsFetch(fixture, identityOf(name)) as never } : insecure
  const tokenOptions = { ...options, ...(dpop && { DPoP: oauth.DPoP(client, keyPair) }) }
  return { as, client, authentication, options, tokenOptions }
}

describe.each([
  { name: 'private_key_jwt', mtls: false, dpop: false },
  { name: 'private_key_jwt and DPoP', mtls: false, dpop: true },
  { name: 'mutual TLS', mtls: true, dpop: false },
  { name: 'mutual TLS and DPoP', mtls: true, dpop: true },
])('oauth4webapi, unmodified, with $name', (ways) => {
  const tokenType = ways.dpop ? 'dpop' : 'bearer'
  const open = (name = 'agent-job-orchestrator-o1') => clientOf(name, ways)

  async function rootToken({ as, client, authentication, options, tokenOptions }: Awaited<ReturnType<typeof open>>) {
    const asked = await oauth.deviceAuthorizationRequest(
      as,
      client,
      authentication,
      {
        login_hint: 'alice',
        authorization_details: JSON.stringify(laserGrants),
        may_act: JSON.stringify([laser]),
      },
      options,
    )
    const { device_code, user_code } = await oauth.processDeviceAuthorizationResponse(as, client, asked)
    expect((await server.answer(user_code)).status).toBe(204)
    const answered = await oauth.deviceCodeGrantRequest(as, client, authentication, device_code, tokenOptions)
    return oauth.processDeviceCodeResponse(as, client, answered)
  }

  async function exchanged({ as, client, authentication, tokenOptions }: Awaited<ReturnType<typeof open>>, token: string) {
    const parameters = {
      subject_token: token,
      subject_token_type: jwtType,
      actor_token: await actorToken(),
      actor_token_type: jwtType,
      authorization_details: JSON.stringify(withPower('40')),
    }
    const answered = await oauth.genericTokenEndpointRequest(as, client, authentication, exchangeType, parameters, tokenOptions)
    return oauth.processGenericTokenEndpointResponse(as, client, answered)
  }

  it('gets a root token for what its human signed, bound to its certificate', async () => {
    const session = await open()
    const answer = await rootToken(session)
    expect(answer.token_type).toBe(tokenType)
    const { keyId } = key('agent-job-orchestrator-o1')
    const jkt = jwkThumbprint(createPublicKey(identityOf('agent-job-orchestrator-o1').privateKey))
    expect(claimsOf(answer.access_token).cnf).toEqual({ 'x5t#S256': keyId, ...(ways.dpop && { jkt }) })
    expect(verified([answer.access_token], 'agent-job-orchestrator-o1').ok).toBe(true)
  })

  it('exchanges it for a sub-agent’s, which the sub-agent renews, looks up and ends', async () => {
    const session = await open()
    const root = (await rootToken(session)).access_token
    const child = await exchanged(session, root)
    expect(child.issued_token_type).toBe(jwtType)
    expect(child.token_type).toBe(tokenType)
    expect(claimsOf(child.access_token).cnf['x5t#S256']).toBe(key('agent-laser-operator-z1').keyId)
    expect(verified([root, child.access_token]).ok).toBe(true)

    const { as, client, authentication, options, tokenOptions } = await open('agent-laser-operator-z1')
    const parameters = { subject_token: child.access_token, subject_token_type: jwtType }
    const renewed = await oauth.processGenericTokenEndpointResponse(
      as,
      client,
      await oauth.genericTokenEndpointRequest(as, client, authentication, exchangeType, parameters, tokenOptions),
    )
    expect(verified([root, renewed.access_token]).ok).toBe(true)
    const look = async () =>
      oauth.processIntrospectionResponse(
        as,
        client,
        await oauth.introspectionRequest(as, client, authentication, renewed.access_token, options),
      )
    expect(await look()).toMatchObject({ active: true, client_id: laser, token_type: ways.dpop ? 'DPoP' : 'Bearer' })
    await oauth.processRevocationResponse(
      await oauth.revocationRequest(as, client, authentication, renewed.access_token, options),
    )
    expect(await look()).toEqual({ active: false })
  })

  it('is told of an error by its name', async () => {
    const session = await open()
    await expect(exchanged(session, 'none')).rejects.toMatchObject({ error: 'invalid_grant', status: 400 })
  })
})

describe('what is issued', () => {
  it('has the claims of RFC 9068 §2.2, but for its type and the name of its client', async () => {
    const { as, client, authentication, options } = await clientOf('agent-job-orchestrator-o1', { mtls: false, dpop: false })
    const asked = await oauth.deviceAuthorizationRequest(
      as,
      client,
      authentication,
      { login_hint: 'alice', authorization_details: JSON.stringify(laserGrants) },
      options,
    )
    const { device_code, user_code } = await oauth.processDeviceAuthorizationResponse(as, client, asked)
    await server.answer(user_code)
    const answered = await oauth.deviceCodeGrantRequest(as, client, authentication, device_code, options)
    const token = (await oauth.processDeviceCodeResponse(as, client, answered)).access_token
    const header = JSON.parse(Buffer.from(token.split('.')[0] ?? '', 'base64url').toString()) as object
    // §2.1 wants at+jwt, so that no ID token passes for an access token. For the same reason (RFC 8725 §3.11) ours has a type of its own.
    expect(header).toEqual({ typ: 'task+jwt', alg: 'ES256', kid: key('service-token').keyId })
    const { consent, cnf, ...claims } = claimsOf(token)
    expect(claims).toEqual({
      iss: key('service-token').spiffeId,
      sub: 'alice',
      aud: fixture.trust.anchors.audience,
      iat: now / 1000,
      exp: now / 1000 + 3600,
      jti: expect.stringMatching(/^[0-9a-f-]{36}$/),
      job: expect.any(String),
      // In place of client_id: who acts (RFC 8693 §4.1), which introspection calls by that name.
      act: { sub: client.client_id },
      authorization_details: laserGrants,
    })
    expect(consent?.credentialId).toBeDefined()
    expect(cnf['x5t#S256']).toBeDefined()
    const looked = await oauth.introspectionRequest(as, client, authentication, token, options)
    expect(await oauth.processIntrospectionResponse(as, client, looked)).toMatchObject({ client_id: client.client_id })
  })

  it('is signed by a key that the metadata leads to', async () => {
    const { as } = await clientOf('agent-job-orchestrator-o1', { mtls: false, dpop: false })
    const keys = (await (await fetch(as.jwks_uri ?? '')).json()) as { keys: { kid: string }[] }
    expect(keys.keys.map(({ kid }) => kid)).toEqual([key('service-token').keyId])
  })
})
