import { jobGrants } from '@interlock/sdk/trust-domain'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { deviceCodeType, exchangeOf, exchangeType, key, refusal, root, server, useTokenService } from './test-world.ts'

useTokenService()

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
    const endpoints = (base: string) => ({
      standing_grant_endpoint: `${base}/standing_grants`,
      token_endpoint: `${base}/token`,
      device_authorization_endpoint: `${base}/device_authorization`,
      introspection_endpoint: `${base}/introspect`,
      revocation_endpoint: `${base}/revoke`,
    })
    const [methods, algorithms] = [
      ['private_key_jwt', 'tls_client_auth'],
      ['ES256', 'EdDSA'],
    ]
    expect(await get('/.well-known/oauth-authorization-server')).toEqual({
      issuer: server.issuer,
      ...endpoints(server.issuer),
      jwks_uri: `${server.issuer}/jwks.json`,
      grant_types_supported: [deviceCodeType, exchangeType, 'urn:interlock:params:oauth:grant-type:standing-grant'],
      response_types_supported: [],
      token_endpoint_auth_methods_supported: methods,
      token_endpoint_auth_signing_alg_values_supported: algorithms,
      introspection_endpoint_auth_methods_supported: methods,
      introspection_endpoint_auth_signing_alg_values_supported: algorithms,
      revocation_endpoint_auth_methods_supported: methods,
      revocation_endpoint_auth_signing_alg_values_supported: algorithms,
      tls_client_certificate_bound_access_tokens: true,
      mtls_endpoint_aliases: endpoints(server.mtlsUrl),
      dpop_signing_alg_values_supported: algorithms,
      authorization_details_types_supported: ['interlock_device', 'interlock_tool'],
    })
    expect(await get('/jwks.json')).toMatchObject({ keys: [{ kid: key('service-token').keyId, alg: 'ES256' }] })
  })

  it('publishes what a grant may be as a JSON Schema (RFC 9396)', async () => {
    const schema = (await (await fetch(`${server.issuer}/authorization-details.schema.json`)).json()) as object
    const isGrants = new Ajv2020().compile(schema)
    const tool = { type: 'interlock_tool', locations: ['mail'], actions: ['send'], maxCount: 5 }
    expect(isGrants([...jobGrants, { ...tool, limits: { to: { values: ['alice@lab.example'] }, copies: { max: '3' } } }])).toBe(
      true,
    )
    for (const wrong of [
      [],
      [{ ...tool, type: 'interlock_all', limits: {} }],
      [{ ...tool, limits: {}, actions: ['*'] }],
      [{ ...tool, limits: { power: { max: '3', unit: 'W' } } }],
      [{ ...jobGrants[0], limits: { power: { max: '3' } } }],
      [{ ...tool, limits: {}, everything: true }],
    ])
      expect(isGrants(wrong)).toBe(false)
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
    expect(server.causes).toEqual(['jws-malformed'])
  })
})
