import { KeyObject } from 'node:crypto'
import { createServer, type Server } from 'node:https'
import type { AddressInfo } from 'node:net'
import { admitFederatedAgent, enrolSoftwareAgent } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { openTrustBundle, spiffeBundleBytesMax, spiffeBundleOf } from '@interlock/trust'
import { createRoot } from '@interlock/trust/issue'
import { type TestDomain, testDomain } from '@interlock/trust/test-domain'
import * as x509 from '@peculiar/x509'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { publishOwnBundle, refreshPartner, withdrawOthers } from './partners.ts'
import { configured, fixtureOf, startBundleEndpoint, tlsIdentityOf } from './test-partner.ts'
import { admissionOf, reasonOf, startTestRegistry, type TestRegistry } from './test-registry.ts'

const robot = 'spiffe://partner.example/robot/r1'
const paths = ['service/registry', 'service/token', 'operator/dev']

let fixture: Fixture
let domain: TestDomain
let ours: TestRegistry
let theirs: TestRegistry
const closing: (() => void)[] = []
beforeAll(async () => {
  fixture = await createFixture(Date.now())
  domain = await testDomain(paths, Date.now(), 'partner.example')
})
beforeEach(async () => {
  ours = await startTestRegistry(fixture, [])
  theirs = await startTestRegistry(fixtureOf(domain, fixture), [])
  closing.push(ours.close, theirs.close)
})
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

const registryOf = ({ issue }: Pick<TestDomain, 'issue'>) => issue('service/registry')
async function endpointOf(server: TestRegistry, svid: Awaited<ReturnType<typeof registryOf>>) {
  const { url, close } = await startBundleEndpoint(server.parts, svid)
  closing.push(close)
  return url
}
const partner = async () => configured(domain.anchors, await endpointOf(theirs, await registryOf(domain)))
const entryOf = (server: TestRegistry, name: string) => server.federation.get(name)
const refresh = async (one: Parameters<typeof refreshPartner>[0], by = ours) => {
  const result = await refreshPartner(one, by.parts)
  return result.ok ? 'fresh' : result.reason
}

/** A web server's certificate for localhost, its own authority. */
async function webServer() {
  const keys = await crypto.subtle.generateKey({ name: 'ECDSA', namedCurve: 'P-256' }, true, ['sign', 'verify'])
  const names = new x509.SubjectAlternativeNameExtension([{ type: 'dns', value: 'localhost' }])
  const signingAlgorithm = { name: 'ECDSA', hash: 'SHA-256' }
  const made = { name: 'CN=localhost', keys, signingAlgorithm, extensions: [names], notBefore: new Date(Date.now() - 60_000) }
  const certificate = await x509.X509CertificateGenerator.createSelfSigned(made)
  const key = KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' })
  return { key: Buffer.from(key), cert: Buffer.from(certificate.toString('pem')) }
}

/** A server that answers as it is told, with an SVID of the partner's registry. */
async function answering(answer: (server: Server) => void, identity?: ReturnType<typeof tlsIdentityOf>): Promise<string> {
  const server = createServer(identity ?? tlsIdentityOf(await registryOf(domain)))
  answer(server)
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  closing.push(() => server.close())
  return `https://localhost:${(server.address() as AddressInfo).port}/bundle`
}

describe('the bundle endpoint', () => {
  it('answers as SPIFFE has it, over plain HTTP for a web server before it and over TLS by the registry’s own SVID', async () => {
    const answer = await fetch(`${ours.url}/bundle`)
    expect(answer.headers.get('content-type')).toMatch(/^application\/json/)
    expect(await answer.json()).toMatchObject({
      keys: [{ use: 'x509-svid', kty: 'EC', x5c: [expect.any(String)] }],
      spiffe_sequence: 1,
      spiffe_refresh_hint: 300,
    })
    expect(await refresh(await partner())).toBe('fresh')
  })

  it('has a sequence that grows whenever the roots change, over restarts too, and only then', async () => {
    const publish = async (anchors = domain.anchors) => {
      await publishOwnBundle(anchors, theirs.parts)
      return entryOf(theirs, 'partner.example')
    }
    expect(await publish()).toMatchObject({ kind: 'own', sequence: 1 })
    const next = await createRoot('partner.example', Date.now())
    const roots = [
      ...(domain.bundle.roots['partner.example'] as string[]),
      Buffer.from(next.certificate.rawData).toString('base64url'),
    ]
    expect(await publish(openTrustBundle({ ...domain.bundle, roots: { 'partner.example': roots } }))).toMatchObject({
      sequence: 2,
    })
    expect(await publish()).toMatchObject({ sequence: 3 })
    expect(await publish()).toMatchObject({ sequence: 3 })
  })

  it('says nothing before its sequence is on record', async () => {
    ours.federation.clear()
    expect(await (await fetch(`${ours.url}/bundle`)).json()).toEqual({ error: 'bundle-not-published' })
  })
})

describe('two registries', () => {
  it('federate with each other, each by the other’s SVID', async () => {
    const one = await partner()
    const other = configured(fixture.trust.anchors, await endpointOf(ours, identityOf()))
    expect(await refresh(one)).toBe('fresh')
    expect(await refresh(other, theirs)).toBe('fresh')
    expect(entryOf(ours, 'partner.example')).toMatchObject({
      kind: 'partner',
      roots: domain.bundle.roots['partner.example'],
      sequence: 1,
    })
    expect(entryOf(theirs, fixture.trust.anchors.trustDomain)).toMatchObject({ kind: 'partner', sequence: 1 })
  })
  const identityOf = () => {
    const identity = fixture.domain.identities.get('service-registry')
    if (!identity) throw new Error('the fixture has no registry')
    return identity
  }

  it('rotate a root with an overlap, and the endpoint may prove itself by the new one', async () => {
    expect(await refresh(await partner())).toBe('fresh')
    const after = await testDomain(paths, Date.now(), 'partner.example')
    const [before = '', next = ''] = [domain, after].map(({ bundle }) => bundle.roots['partner.example']?.[0])
    const serve = async (roots: string[], svid: TestDomain) => {
      const anchors = openTrustBundle({ ...svid.bundle, roots: { 'partner.example': roots } })
      await publishOwnBundle(anchors, theirs.parts)
      const { url, close } = await startBundleEndpoint({ ...theirs.parts, anchors }, await registryOf(svid))
      closing.push(close)
      return refresh(configured(domain.anchors, url))
    }
    expect(await serve([before, next], domain)).toBe('fresh')
    expect(entryOf(ours, 'partner.example')).toMatchObject({ sequence: 2, roots: [before, next] })
    expect(await serve([before, next], after)).toBe('fresh')
    expect(await serve([next], after)).toBe('fresh')
    expect(entryOf(ours, 'partner.example')).toMatchObject({ sequence: 3, roots: [next] })
    // The root that was withdrawn, and with it the first pin, proves nothing any more.
    expect(await refresh(configured(domain.anchors, await endpointOf(theirs, await registryOf(domain))))).toBe(
      'endpoint-untrusted',
    )
  })

  it('lose each other when nobody answers, and find each other again', async () => {
    const one = await partner()
    await refresh(one)
    ours.clockMs = 20 * 60_000
    expect(await refresh({ ...one, bundleEndpoint: 'https://localhost:1/bundle' })).toBe('endpoint-away')
    expect(entryOf(ours, 'partner.example')).toMatchObject({ expiresAt: expect.any(Number) })
    const { expiresAt } = entryOf(ours, 'partner.example') as { expiresAt: number }
    expect(expiresAt).toBeLessThan(ours.parts.now())
    expect(await refresh(one)).toBe('fresh')
    expect((entryOf(ours, 'partner.example') as { expiresAt: number }).expiresAt).toBeGreaterThan(ours.parts.now())
  })

  it('are no partners any more when the settings do not say so, and nothing old comes back after', async () => {
    const one = await partner()
    await refresh(one)
    await withdrawOthers([], ours.parts)
    expect((entryOf(ours, 'partner.example') as { expiresAt: number }).expiresAt).toBeLessThanOrEqual(ours.parts.now())
    expect(entryOf(ours, 'partner.example')).toMatchObject({ sequence: 1 })
    expect(entryOf(ours, fixture.trust.anchors.trustDomain)).toMatchObject({ kind: 'own' })
  })
})

describe('a partner’s bundle is refused', () => {
  it('attack 9: from a server with a good SVID of another name, or of another trust domain', async () => {
    const impostor = await domain.issue('agent/robot/r1')
    expect(await refresh(configured(domain.anchors, await endpointOf(theirs, impostor)))).toBe('endpoint-untrusted')
    const stranger = await testDomain(paths, Date.now(), 'partner.example')
    expect(await refresh(configured(domain.anchors, await endpointOf(theirs, await registryOf(stranger))))).toBe(
      'endpoint-untrusted',
    )
    expect(entryOf(ours, 'partner.example')).toBeUndefined()
  })

  it('from where it sends us on to: only what is configured is asked', async () => {
    let asked = 0
    const elsewhere = await answering((server) => server.on('request', () => asked++))
    const url = await answering((server) =>
      server.on('request', (_, response) => response.writeHead(302, { location: elsewhere }).end()),
    )
    expect(await refresh(configured(domain.anchors, url))).toBe('endpoint-status')
    expect(asked).toBe(0)
  })

  it('that is no bundle', async () => {
    const url = await answering((server) => server.on('request', (_, response) => response.end('hello')))
    expect(await refresh(configured(domain.anchors, url))).toBe('bundle-malformed')
  })

  it('that has no end, as soon as it is more than its limit', async () => {
    const url = await answering((server) =>
      server.on('request', (_, response) => void response.write(' '.repeat(spiffeBundleBytesMax + 1))),
    )
    expect(await refresh(configured(domain.anchors, url))).toBe('bundle-too-large')
  })

  it('that is older than what is known, or another under the same sequence', async () => {
    await refresh(await partner())
    const root = Buffer.from((await createRoot('partner.example', Date.now())).certificate.rawData)
    const said = async (sequence: number) => {
      const text = JSON.stringify(spiffeBundleOf([root], sequence, 300))
      return refresh(
        configured(domain.anchors, await answering((server) => server.on('request', (_, response) => response.end(text)))),
      )
    }
    expect(await said(0)).toBe('bundle-older')
    expect(await said(1)).toBe('bundle-sequence-reused')
    expect(entryOf(ours, 'partner.example')).toMatchObject({ sequence: 1, roots: domain.bundle.roots['partner.example'] })
  })

  it('where it cannot be recorded', async () => {
    ours.isLogAway = true
    await expect(refreshPartner(await partner(), ours.parts)).rejects.toThrow('the log is away')
  })

  it('of the profile https_web unless the name in the address is the certificate’s, under an authority that is trusted', async () => {
    const { cert, ...identity } = await webServer()
    const text = JSON.stringify(spiffeBundleOf([Buffer.from(domain.root.certificate.rawData)], 1, 300))
    const url = await answering((server) => server.on('request', (_, response) => response.end(text)), { cert, ...identity })
    const web = { profile: 'https_web', trustDomain: 'partner.example', certificateAuthorities: cert.toString() } as const
    expect(await refresh({ ...web, bundleEndpoint: url.replace('localhost', '127.0.0.1') })).toBe('endpoint-untrusted')
    expect(await refresh({ ...web, bundleEndpoint: url })).toBe('fresh')
  })

  it('of the profile https_web from a server that no authority of the web vouches for', async () => {
    const { trustDomain, bundleEndpoint } = await partner()
    const web = { profile: 'https_web', trustDomain, bundleEndpoint, certificateAuthorities: undefined } as const
    expect(await refresh(web)).toBe('endpoint-untrusted')
  })
})

describe('a partner’s agent', () => {
  beforeEach(async () => {
    await refresh(await partner())
  })
  const admit = async (change: object) => {
    const admission = await admissionOf(fixture, { subject: robot, definition: 'laser-operator', ...change })
    const headers = { 'content-type': 'application/json' }
    const answer = await fetch(`${ours.url}/federated-agents`, { method: 'POST', body: JSON.stringify({ admission }), headers })
    return { admission, answer: (await answer.json()) as Record<string, unknown> }
  }

  it('counts as a definition of ours once an operator says so, and as software', async () => {
    const by = { operator: fixture.key('operator-dev'), audience: fixture.domain.bundle.audience }
    await admitFederatedAgent(ours.url, { subject: robot, definition: 'laser-operator' }, by)
    expect(ours.agents.get(`instance:${robot}`)).toMatchObject({
      definition: 'laser-operator',
      assurance: 'software',
      state: 'active',
    })
    expect(ours.appraisals).toMatchObject([{ subject: robot, status: 'none', certificate: '' }])
  })

  it('attack 131: once by one admission', async () => {
    const { admission } = await admit({})
    const headers = { 'content-type': 'application/json' }
    const again = await fetch(`${ours.url}/federated-agents`, { method: 'POST', body: JSON.stringify({ admission }), headers })
    expect(await again.json()).toEqual({ error: 'admission-used' })
  })

  it.each<[string, object, string]>([
    ['of a trust domain that is not federated', { subject: 'spiffe://other.example/robot/r1' }, 'trust-domain-unknown'],
    ['of ours', { subject: 'spiffe://lab.interlock.example/agent/laser-operator/x' }, 'admission-subject'],
    ['as no definition', { definition: undefined }, 'admission-subject'],
    ['as one that is not there', { definition: 'nothing' }, 'definition-not-active'],
    ['on a platform', { platform: { pcrs: [0], pcrDigest: 'A'.repeat(43) } }, 'admission-subject'],
    [
      'attack 8: with the name of an enforcer',
      { subject: 'spiffe://partner.example/enforcer/identity-verify' },
      'admission-subject',
    ],
    ['attack 8: with the name of a service', { subject: 'spiffe://partner.example/service/token' }, 'admission-subject'],
    ['attack 8: with the name of a device', { subject: 'spiffe://partner.example/device/laser-1' }, 'admission-subject'],
  ])('is not admitted %s', async (_what, change, reason) => expect((await admit(change)).answer).toEqual({ error: reason }))

  it('gets no certificate of ours: our authority names nobody of theirs', async () => {
    const subject = 'spiffe://partner.example/agent/laser-operator/z1'
    const admission = await admissionOf(fixture, { subject, definition: 'laser-operator' })
    expect(await reasonOf(enrolSoftwareAgent(ours.url, admission))).toBe('admission-federated')
  })
})
