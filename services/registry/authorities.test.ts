import { X509Certificate } from 'node:crypto'
import type { AgentEntry, RevocationEntry } from '@interlock/contracts'
import { enrolSoftwareAgent, renewSoftwareAgent } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { agentSpiffeId, definitionHash } from '@interlock/sdk/trust-domain'
import {
  type Certificate,
  readCertificate,
  readRevocationList,
  revocationStatus,
  type SigningKey,
  signingKey,
  thumbprint,
  validateSvid,
} from '@interlock/trust'
import { createIntermediate } from '@interlock/trust/issue'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { authorityId, certificateLifeMs } from './authorities.ts'
import { admissionOf, reasonOf, startTestRegistry, type TestRegistry } from './test-registry.ts'

const subject = agentSpiffeId('laser-operator', 's1')

let fixture: Fixture
let server: TestRegistry
beforeAll(async () => {
  fixture = await createFixture(Date.now())
})
beforeEach(async () => {
  server = await startTestRegistry(fixture, [])
})
afterEach(() => server.close())

async function enrolled(who = subject): Promise<SigningKey> {
  const { privateKey, chain } = await enrolSoftwareAgent(server.url, await admissionOf(fixture, { subject: who }))
  return signingKey(privateKey, chain)
}
async function renewed(key: SigningKey): Promise<SigningKey> {
  const { privateKey, chain } = await renewSoftwareAgent(server.url, key)
  return signingKey(privateKey, chain)
}
async function rotate(): Promise<void> {
  const next = await createIntermediate(fixture.domain.root, fixture.trust.anchors.trustDomain, Date.now())
  server.parts.authorities.rotate(next, server.parts.now())
}
const read = (der: Buffer | undefined): Certificate => {
  const certificate = readCertificate(der as Buffer)
  if (!certificate.ok) throw new Error(certificate.reason)
  return certificate.value
}
/** What a verifier that knows nothing but the CRL says of a certificate. */
async function statusOf({ chain }: SigningKey): Promise<string> {
  const response = await fetch(`${server.url}/crl/${thumbprint(chain[1] as Buffer)}`)
  if (!response.ok) return ((await response.json()) as { error: string }).error
  const list = readRevocationList(Buffer.from(await response.arrayBuffer()))
  if (!list) throw new Error('the list cannot be read')
  return revocationStatus(read(chain[0]), read(chain[1]), [list], server.parts.now() + 1)
}
const isGood = ({ chain }: SigningKey) => validateSvid(chain, fixture.trust.anchors, Date.now(), 30_000).ok
const revoke = (kind: RevocationEntry['kind'], what: string) =>
  server.revocations.set(`${kind}:${what}`, { kind, subject: what, from: Date.now() - 1, reason: 'test' })

describe('the revocation list', () => {
  it('is fresh, numbered, signed by the authority, and says nothing against a good certificate', async () => {
    const key = await enrolled()
    const response = await fetch(`${server.url}/crl`)
    expect(response.headers.get('content-type')).toBe('application/pkix-crl')
    const list = readRevocationList(Buffer.from(await response.arrayBuffer()))
    expect(list?.serials.size).toBe(0)
    expect(list?.nextUpdateMs).toBeGreaterThan(Date.now())
    expect(await statusOf(key)).toBe('good')
  })

  it.each<[string, (key: SigningKey) => void]>([
    ['a certificate', ({ keyId }) => revoke('certificate', keyId)],
    ['an agent', () => revoke('agent', subject)],
    ['a definition', () => revoke('definition', definitionHash('laser-operator'))],
    ['an agent by suspending it', () => edit(`instance:${subject}`, { state: 'suspended' })],
    ['a definition by changing it', () => edit('definition:laser-operator', { hash: 'A'.repeat(43) })],
  ])('has what was revoked with %s', async (_what, fall) => {
    const key = await enrolled()
    fall(key)
    expect(await statusOf(key)).toBe('revoked')
  })

  it('keeps what it once had: who comes back comes with another certificate', async () => {
    const key = await enrolled()
    edit(`instance:${subject}`, { state: 'suspended' })
    expect(await statusOf(key)).toBe('revoked')
    edit(`instance:${subject}`, { state: 'active' })
    server.clockMs = 10_000
    expect(await statusOf(key)).toBe('revoked')
  })

  it('is made anew after some seconds, not at each question', async () => {
    const key = await enrolled()
    const first = await (await fetch(`${server.url}/crl`)).text()
    revoke('certificate', key.keyId)
    expect(await (await fetch(`${server.url}/crl`)).text()).toBe(first)
    server.clockMs = 6_000
    expect(await statusOf(key)).toBe('revoked')
  })

  it('forgets certificates that have ended', async () => {
    const key = await enrolled()
    revoke('certificate', key.keyId)
    server.clockMs = certificateLifeMs + 60_000
    const list = readRevocationList(Buffer.from(await (await fetch(`${server.url}/crl`)).arrayBuffer()))
    expect(list?.serials.size).toBe(0)
  })

  const edit = (id: string, change: object) => server.agents.set(id, { ...server.agents.get(id), ...change } as AgentEntry)
})

describe('another authority takes over', () => {
  it('and certificates of both count, until those of the one before have ended', async () => {
    const before = await enrolled()
    await rotate()
    const after = await renewed(before)
    expect(new X509Certificate(after.chain[1] as Buffer).raw).not.toEqual(before.chain[1])
    expect([isGood(before), isGood(after)]).toEqual([true, true])
    expect([await statusOf(before), await statusOf(after)]).toEqual(['good', 'good'])
    revoke('certificate', before.keyId)
    server.clockMs = 6_000
    expect([await statusOf(before), await statusOf(after)]).toEqual(['revoked', 'good'])
    server.clockMs = certificateLifeMs + 1
    expect(await statusOf(before)).toBe('authority-unknown')
  })

  it('under load: each request is answered, by the one or the other', async () => {
    const agents = Array.from({ length: 40 }, (_, at) => agentSpiffeId('laser-operator', `load${at}`))
    const first = await Promise.all(agents.slice(0, 20).map(enrolled))
    const [, ...second] = await Promise.all([rotate(), ...agents.slice(20).map(enrolled)])
    const [, ...third] = await Promise.all([rotate(), ...[...first, ...second].map(renewed)])
    const fourth = await Promise.all(third.map(renewed))
    expect([...first, ...second, ...third, ...fourth].every(isGood)).toBe(true)
    const authoritiesOf = (keys: readonly SigningKey[]) => [...new Set(keys.map(({ chain }) => thumbprint(chain[1] as Buffer)))]
    expect(authoritiesOf(first)).toEqual([authorityId(fixture.domain.issuer)])
    expect(authoritiesOf(fourth)).toEqual([authorityId(server.parts.authorities.current)])
  })

  it('is no other where it is the same', () => {
    expect(server.parts.authorities.rotate(fixture.domain.issuer, Date.now())).toBe(false)
  })
})

describe('attack 136: a clock that is set back', () => {
  it('stops all issuing by more than clocks may differ', async () => {
    await enrolled()
    server.clockMs = -20_000
    await enrolled(agentSpiffeId('laser-operator', 's2'))
    server.clockMs = -31_000
    const admission = await admissionOf(fixture, {
      subject: agentSpiffeId('laser-operator', 's3'),
      iat: Math.floor(Date.now() / 1000) - 60,
    })
    expect(await reasonOf(enrolSoftwareAgent(server.url, admission))).toBe('clock-behind')
    expect(server.alerts).toMatchObject([
      { rule: 'clock-behind', severity: 'high', subject: fixture.key('service-registry').spiffeId },
    ])
  })

  it('attack 133: nor is a revocation list made that would be older than one before', async () => {
    const key = await enrolled()
    server.clockMs = -31_000
    expect(await statusOf(key)).toBe('clock-behind')
    server.clockMs = 0
    expect(await statusOf(key)).toBe('good')
  })
})
