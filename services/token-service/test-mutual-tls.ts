import { mkdtempSync, writeFileSync } from 'node:fs'
import { type Agent, request as httpsRequest } from 'node:https'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Fixture } from '@interlock/sdk/fixture'
import { type Identity, issueIdentity } from '@interlock/trust/issue'
import type { ServerCertificate } from './mutual-tls.ts'

const pemOf = (der: Uint8Array) =>
  `-----BEGIN CERTIFICATE-----\n${(
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? []
  ).join('\n')}\n-----END CERTIFICATE-----\n`

/** Writes a server's key and certificate, as a platform engineer puts them there. */
export async function writeServerCertificate(
  { domain }: Fixture,
  folder = mkdtempSync(join(tmpdir(), 'token-service-')),
): Promise<ServerCertificate> {
  const profile = { name: 'token-server', spiffeId: `spiffe://${domain.bundle.trustDomain}/server/tokens`, hosts: ['127.0.0.1'] }
  const { privateKey, chain } = await issueIdentity(domain.issuer, profile, Date.now())
  const files = { key: join(folder, 'server.key.pem'), certificate: join(folder, 'server.chain.pem') }
  writeFileSync(files.key, privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
  writeFileSync(files.certificate, chain.map(pemOf).join(''))
  return files
}

export type TlsClient = Pick<Identity, 'privateKey' | 'chain'>

/** `fetch` of a TLS client that shows a certificate, or none. It believes the fixture's root alone, and checks the server's name. An agent remembers sessions. */
export function tlsFetch({ domain }: Fixture, client?: TlsClient, agent: Agent | false = false) {
  const options = {
    ca: pemOf(Buffer.from(domain.root.certificate.rawData)),
    ...(client && {
      key: client.privateKey.export({ type: 'pkcs8', format: 'pem' }),
      cert: client.chain.map(pemOf).join(''),
    }),
  }
  type Sent = { method?: string; headers?: ConstructorParameters<typeof Headers>[0]; body?: unknown }
  return (url: string | URL, { method = 'GET', headers, body }: Sent = {}): Promise<Response> =>
    new Promise((resolve, reject) => {
      const sent = { ...options, method, headers: Object.fromEntries(new Headers(headers)), agent }
      const asked = httpsRequest(url, sent, async (response) => {
        const chunks = await response.toArray()
        const received = Object.entries(response.headers).map(([name, value]) => [name, String(value)] as [string, string])
        resolve(new Response(Buffer.concat(chunks), { status: response.statusCode ?? 0, headers: received }))
      })
      asked.once('error', reject)
      asked.end(body === undefined || body === null ? undefined : String(body))
    })
}
