import { chmodSync, mkdtempSync, writeFileSync } from 'node:fs'
import { Agent, Server } from 'node:https'
import { createConnection } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect } from 'node:tls'
import type { AgentEntry } from '@interlock/contracts'
import { listen } from '@interlock/enforcer'
import { signAgentAssertion } from '@interlock/sdk'
import type { Fixture } from '@interlock/sdk/fixture'
import { SigningKeyError } from '@interlock/trust'
import { type Identity, issueIdentity } from '@interlock/trust/issue'
import { describe, expect, it, vi } from 'vitest'
import { mutualTlsOptions, watchServerCertificate } from './mutual-tls.ts'
import { type TlsClient, tlsFetch, writeServerCertificate } from './test-mutual-tls.ts'
import { fixture, key, laser, now, server, stranger, useTokenService } from './test-world.ts'

useTokenService()

const orchestratorName = 'agent-job-orchestrator-o1'
const identityOf = (name: string, { domain }: Fixture = fixture) => domain.identities.get(name) as Identity
const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'

async function introspect(client: TlsClient | undefined, fields: Record<string, string>) {
  const body = new URLSearchParams({ token: 'x', ...fields })
  const headers = { 'content-type': 'application/x-www-form-urlencoded' }
  const response = await tlsFetch(fixture, client)(`${server.mtlsUrl}/introspect`, { method: 'POST', headers, body })
  return { status: response.status, body: await response.json(), cause: server.causes.at(-1) }
}
const invalidClient = (cause: string) => ({ status: 401, body: { error: 'invalid_client' }, cause })
const clientId = () => key(orchestratorName).spiffeId
const issued = (profile: { spiffeId: string; definitionHash?: string; validityDays?: number }, at = now) =>
  issueIdentity(fixture.domain.issuer, { name: 'x', ...profile }, at)

describe('a client by mutual TLS', () => {
  it('is the agent whose SVID it shows', async () =>
    expect(await introspect(identityOf(orchestratorName), { client_id: clientId() })).toMatchObject({
      status: 200,
      body: { active: false },
    }))

  it.each<[string, () => Promise<[TlsClient | undefined, string]> | [TlsClient | undefined, string], string]>([
    ['SAN mismatch: another agent’s name as client_id', () => [identityOf(orchestratorName), laser], 'client_id'],
    ['no client_id', () => [identityOf(orchestratorName), ''], 'client_id'],
    ['no certificate', () => [undefined, clientId()], 'client_assertion_type'],
    ['an SVID of another root', () => [identityOf(orchestratorName, stranger), clientId()], 'path-untrusted'],
    [
      'an SVID without the certificate above it',
      () => [{ ...identityOf(orchestratorName), chain: identityOf(orchestratorName).chain.slice(0, 1) }, clientId()],
      'path-untrusted',
    ],
    ['a service’s certificate', () => [identityOf('service-registry'), key('service-registry').spiffeId], 'not-an-agent'],
    [
      'a name that nobody registered',
      async () => {
        const spiffeId = `${clientId()}x`
        return [await issued({ spiffeId }), spiffeId]
      },
      'instance-unknown',
    ],
    [
      'another definition than is registered',
      async () => [await issued({ spiffeId: clientId(), definitionHash: 'B'.repeat(43) }), clientId()],
      'definition-mismatch',
    ],
    [
      'a certificate that is over',
      async () => [await issued({ spiffeId: clientId(), validityDays: 1 }, now - 2 * 86_400_000), clientId()],
      'certificate-expired',
    ],
  ])('attack 123: is none with %s', async (_what, make, cause) => {
    const [client, client_id] = await make()
    expect(await introspect(client, { client_id })).toEqual(invalidClient(cause))
  })

  it('attack 123: is none any more once it is revoked or suspended, while its certificate is in time', async () => {
    const good = { client_id: clientId() }
    expect((await introspect(identityOf(orchestratorName), good)).status).toBe(200)
    const { spiffeId, keyId } = key(orchestratorName)
    server.revocations.set(`certificate:${keyId}`, { kind: 'certificate', subject: keyId, from: now, reason: 'test' })
    expect(await introspect(identityOf(orchestratorName), good)).toEqual(invalidClient('revoked'))
    server.revocations.clear()
    const entry = server.agents.get(`instance:${spiffeId}`) as AgentEntry
    server.agents.set(`instance:${spiffeId}`, { ...entry, state: 'suspended' } as AgentEntry)
    expect(await introspect(identityOf(orchestratorName), good)).toEqual(invalidClient('instance-not-active'))
  })

  it('may bring an assertion of the same certificate, and none of another', async () => {
    const assertionOf = async (name: string) => ({
      client_assertion_type: assertionType,
      client_assertion: await signAgentAssertion(key(name), server.issuer, 'client'),
    })
    const shown = identityOf(orchestratorName)
    expect((await introspect(shown, await assertionOf(orchestratorName))).status).toBe(200)
    expect(await introspect(shown, await assertionOf('agent-laser-operator-z1'))).toEqual(invalidClient('two certificates'))
    expect((await introspect(undefined, await assertionOf('agent-laser-operator-z1'))).status).toBe(200)
  })

  it('is the agent on every connection, since none goes on with the session of one before', async () => {
    const remembers = new Agent({ keepAlive: false })
    for (let connection = 0; connection < 4; connection += 1) {
      const body = new URLSearchParams({ token: 'x', client_id: clientId() })
      const headers = { 'content-type': 'application/x-www-form-urlencoded' }
      const asked = tlsFetch(fixture, identityOf(orchestratorName), remembers)
      expect((await asked(`${server.mtlsUrl}/introspect`, { method: 'POST', headers, body })).status).toBe(200)
    }
  })

  it('speaks TLS 1.3', async () => {
    const { port, hostname } = new URL(server.mtlsUrl)
    const failed = new Promise((resolve) =>
      connect({ port: Number(port), host: hostname, rejectUnauthorized: false, maxVersion: 'TLSv1.2' }, () =>
        resolve('let in'),
      ).once('error', (error: { code?: string }) => resolve(error.code)),
    )
    expect(await failed).toMatch(/PROTOCOL_VERSION/)
  })

  it('does not hold up the others by saying nothing', async () => {
    const { port, hostname } = new URL(server.mtlsUrl)
    const silent = createConnection(Number(port), hostname)
    expect((await introspect(identityOf(orchestratorName), { client_id: clientId() })).status).toBe(200)
    silent.destroy()
  })
})

describe('attack 124: over plain HTTP', () => {
  it.each([
    'client-cert',
    'x-client-cert',
    'ssl-client-cert',
    'x-ssl-client-cert',
    'x-forwarded-client-cert',
  ])('no certificate is believed that a header %s brings', async (header) => {
    const leaf = identityOf(orchestratorName).chain[0] as Buffer
    const body = new URLSearchParams({ token: 'x', client_id: clientId() })
    const headers = { [header]: `:${leaf.toString('base64')}:`, 'x-ssl-client-verify': 'SUCCESS' }
    const response = await fetch(`${server.issuer}/introspect`, { method: 'POST', headers, body })
    expect([response.status, await response.json()]).toEqual([401, { error: 'invalid_client' }])
  })
})

describe('the server’s own certificate', () => {
  it('attack 156: is not taken with a key that others can read', async () => {
    const files = await writeServerCertificate(fixture)
    chmodSync(files.key, 0o644)
    expect(() => mutualTlsOptions(files)).toThrow(SigningKeyError)
  })

  it('is replaced while the service runs, and kept while what lies there cannot be used', async () => {
    vi.useRealTimers()
    const folder = mkdtempSync(join(tmpdir(), 'token-service-'))
    const files = await writeServerCertificate(fixture, folder)
    const app = { fetch: async () => new Response('there') }
    const { server: listener, port } = await listen(app, '127.0.0.1', 0, mutualTlsOptions(files))
    const refused: unknown[] = []
    if (!(listener instanceof Server)) throw new Error('not a TLS server')
    const end = watchServerCertificate(files, listener, (error) => refused.push(error))
    const shown = () =>
      new Promise<string>((resolve) => {
        const socket = connect({ port, host: '127.0.0.1', rejectUnauthorized: false }, () => {
          resolve(socket.getPeerCertificate().fingerprint256)
          socket.destroy()
        })
      })
    const before = await shown()
    writeFileSync(files.certificate, 'half a certificate')
    await vi.waitFor(() => expect(refused).not.toHaveLength(0), { timeout: 20_000, interval: 100 })
    expect(await shown()).toBe(before)
    await writeServerCertificate(fixture, folder)
    await vi.waitFor(async () => expect(await shown()).not.toBe(before), { timeout: 20_000, interval: 100 })
    end()
    listener.close()
  })
})
