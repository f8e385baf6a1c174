import { generateKeyPairSync, randomUUID, X509Certificate } from 'node:crypto'
import type { AgentEntry, RevocationEntry } from '@interlock/contracts'
import { enrolSoftwareAgent, enrolSubAgent, renewSoftwareAgent } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { agentSpiffeId, definitionHash } from '@interlock/sdk/trust-domain'
import { descentMax, digest, type SigningKey, type Svid, signingKey, signJws, validateSvid, x5cOf } from '@interlock/trust'
import { createCertificateRequest } from '@interlock/trust/certificate-request'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { subAgentsMax } from './software-endpoints.ts'
import { admissionOf, reasonOf, startTestRegistry, type TestRegistry } from './test-registry.ts'

const subject = agentSpiffeId('laser-operator', 's1')
const child = agentSpiffeId('mill-operator', 'c1')

let fixture: Fixture
let server: TestRegistry
beforeAll(async () => {
  fixture = await createFixture(Date.now())
})
beforeEach(async () => {
  server = await startTestRegistry(fixture, [])
})
afterEach(() => server.close())

const keyOf = ({ privateKey, chain }: { privateKey: Parameters<typeof signingKey>[0]; chain: readonly Buffer[] }) =>
  signingKey(privateKey, chain)
const enrolled = async (): Promise<SigningKey> =>
  keyOf(await enrolSoftwareAgent(server.url, await admissionOf(fixture, { subject })))
function svidOf(chain: readonly Buffer[]): Svid {
  const svid = validateSvid(chain, fixture.trust.anchors, server.parts.now(), 30_000)
  if (!svid.ok) throw new Error(svid.reason)
  return svid.value
}
const csr = async (key = fixture.domain.identities.get('agent-laser-operator-z1')?.privateKey) =>
  createCertificateRequest(key as NonNullable<typeof key>)
async function send(path: string, body: object): Promise<unknown> {
  const headers = { 'content-type': 'application/json' }
  return (await fetch(`${server.url}${path}`, { method: 'POST', body: JSON.stringify(body), headers })).json()
}
const revoke = (kind: RevocationEntry['kind'], what: string) =>
  server.revocations.set(`${kind}:${what}`, { kind, subject: what, from: Date.now() - 1, reason: 'test' })
const edit = (id: string, change: object) => {
  server.agents.set(id, { ...server.agents.get(id), ...change } as AgentEntry)
}
/** As an agent's key says who it is; each test tells one thing otherwise. */
function assertion(key: SigningKey, change: Record<string, unknown> = {}): Promise<string> {
  const iat = Math.floor(Date.now() / 1000)
  const aud = fixture.key('service-registry').spiffeId
  const claims = { iss: key.spiffeId, sub: key.spiffeId, aud, jti: randomUUID(), iat, exp: iat + 60, ...change }
  return signJws({ typ: 'JWT', x5c: x5cOf(key.chain) }, claims, key)
}

const renewalOf = (der: Buffer) => ({ purpose: 'renewal', csr: digest(der) })
const refused = { error: 'assertion-refused' }

describe('an agent without a TPM enrols', () => {
  it('and its certificate of an hour says that it is software', async () => {
    const svid = svidOf((await enrolled()).chain)
    expect(svid).toMatchObject({ spiffeId: subject, assurance: 'software', definitionHash: definitionHash('laser-operator') })
    expect(svid.notAfterMs - Date.now()).toBeLessThanOrEqual(3_600_000)
    expect(server.agents.get(`instance:${subject}`)).toMatchObject({ assurance: 'software', state: 'active' })
    expect(server.appraisals).toMatchObject([{ subject, status: 'none', certificate: svid.thumbprint }])
  })

  it('and gets nothing that its request asks for but its key: the template wins', async () => {
    const leaf = new X509Certificate((await enrolled()).chain[0] as Buffer)
    expect(leaf.subject).toBe('CN=agent-laser-operator-s1')
    expect(leaf.subjectAltName).toBe(`URI:${subject}`)
    expect(leaf.ca).toBe(false)
  })

  it('attack 131: once for each admission, also of many at once', async () => {
    const admission = await admissionOf(fixture, { subject })
    const asked = await Promise.all(Array.from({ length: 16 }, () => reasonOf(enrolSoftwareAgent(server.url, admission))))
    expect(asked.filter((reason) => reason === 'done')).toHaveLength(1)
    expect(new Set(asked)).toEqual(new Set(['admission-used', 'done']))
    expect(server.appraisals).toHaveLength(1)
  })

  it('not by an admission of a platform: nobody may leave the TPM out', async () => {
    const platform = { pcrs: [0], pcrDigest: 'A'.repeat(43) }
    const admission = await admissionOf(fixture, { subject, platform })
    expect(await reasonOf(enrolSoftwareAgent(server.url, admission))).toBe('admission-platform')
  })

  it('attack 158: not by an admission of an operator whose key was revoked', async () => {
    revoke('enforcer-key', fixture.key('operator-dev').keyId)
    expect(await reasonOf(enrolSoftwareAgent(server.url, await admissionOf(fixture, { subject })))).toBe('admission-revoked-key')
  })

  it('not where it cannot be recorded', async () => {
    server.isLogAway = true
    expect(await reasonOf(enrolled())).toBe('internal-error')
    expect(server.agents.has(`instance:${subject}`)).toBe(false)
  })

  it('not by a request whose key is another’s', async () => {
    const der = Buffer.from(await csr())
    der[der.length - 1] = (der.at(-1) as number) ^ 1
    const admission = await admissionOf(fixture, { subject })
    expect(await send('/agents', { admission, csr: der.toString('base64url') })).toEqual({ error: 'csr-signature' })
  })

  it.each([
    ['no DER', Buffer.from('hello')],
    ['an empty sequence', Buffer.from('3000', 'hex')],
    ['nothing', Buffer.alloc(0)],
  ])('not by %s', async (_what, bytes) => {
    const admission = await admissionOf(fixture, { subject })
    expect(await send('/agents', { admission, csr: bytes.toString('base64url') })).toEqual({ error: 'csr-malformed' })
    expect(await reasonOf(enrolSoftwareAgent(server.url, admission))).toBe('done')
  })

  it.each(['agent', 'definition'] as const)('not where its %s was revoked', async (kind) => {
    revoke(kind, kind === 'agent' ? subject : definitionHash('laser-operator'))
    expect(await reasonOf(enrolled())).toBe('revoked')
  })
})

describe('an agent without a TPM renews', () => {
  it('by the certificate that it has, for a fresh key', async () => {
    const before = await enrolled()
    const after = keyOf(await renewSoftwareAgent(server.url, before))
    expect(svidOf(after.chain)).toMatchObject({ spiffeId: subject, assurance: 'software' })
    expect(after.keyId).not.toBe(before.keyId)
    // Both count until the first one ends: who changes over has no gap.
    expect(svidOf(before.chain).spiffeId).toBe(subject)
  })

  it('attack 36: an assertion is good for no other certificate request, and stays good for its own', async () => {
    const key = await enrolled()
    const der = await csr()
    const own = { assertion: await assertion(key, renewalOf(der)), csr: der.toString('base64url') }
    const foreign = await csr(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    expect(await send('/agents/renewals', { ...own, csr: foreign.toString('base64url') })).toEqual(refused)
    expect(await send('/agents/renewals', own)).toMatchObject({ subject })
  })

  it.each<[string, Record<string, unknown>]>([
    ['no purpose', { purpose: undefined }],
    ['another purpose', { purpose: 'sub-agent' }],
    ['no certificate request', { csr: undefined }],
    ['a subject, as a sub-agent’s', { subject: child }],
  ])('attack 36: not by an assertion with %s', async (_what, change) => {
    const key = await enrolled()
    const der = await csr()
    const body = { assertion: await assertion(key, { ...renewalOf(der), ...change }), csr: der.toString('base64url') }
    expect(await send('/agents/renewals', body)).toEqual(refused)
  })

  it('not by an assertion that was used, or is for another, or is of before the registry’s start', async () => {
    const key = await enrolled()
    const der = await csr()
    const [request, about] = [{ csr: der.toString('base64url') }, renewalOf(der)]
    const once = await assertion(key, about)
    expect(await send('/agents/renewals', { ...request, assertion: once })).toMatchObject({ subject })
    const iat = Math.floor(server.parts.startedAt / 1000) - 10
    for (const used of [
      once,
      await assertion(key, { ...about, aud: 'other' }),
      await assertion(key, { ...about, iat, exp: iat + 60 }),
    ])
      expect(await send('/agents/renewals', { ...request, assertion: used })).toEqual({ error: 'assertion-refused' })
  })

  it.each<[string, () => void]>([
    ['suspended', () => edit(`instance:${subject}`, { state: 'suspended' })],
    ['revoked', () => revoke('agent', subject)],
    ['of a definition that is registered anew', () => edit('definition:laser-operator', { hash: 'A'.repeat(43) })],
    ['of a definition that is suspended', () => edit('definition:laser-operator', { state: 'suspended' })],
    ['unknown', () => server.agents.delete(`instance:${subject}`)],
  ])('not where it is %s', async (_what, fall) => {
    const key = await enrolled()
    fall()
    expect(await reasonOf(renewSoftwareAgent(server.url, key))).toBe('assertion-refused')
  })

  it('not out of its hardware: a platform is certified on evidence alone', async () => {
    const key = await enrolled()
    edit(`instance:${subject}`, { assurance: 'tpm' })
    expect(await reasonOf(renewSoftwareAgent(server.url, key))).toBe('evidence-missing')
  })
})

describe('a sub-agent', () => {
  let parent: SigningKey
  beforeEach(async () => {
    const entry = server.agents.get('definition:laser-operator')
    if (entry?.kind !== 'definition') throw new Error('no definition')
    edit('definition:laser-operator', { definition: { ...entry.definition, subAgents: ['mill-operator'] } })
    parent = await enrolled()
  })

  const at = (ms: number) => {
    server.clockMs = ms
    const iat = Math.floor((Date.now() + ms) / 1000)
    return { iat, exp: iat + 60 }
  }
  /** As an agent asks for one below it when so much time is over. */
  async function bringUpAfter(ms: number, by = parent, whom = child): Promise<unknown> {
    const der = await csr()
    const about = { purpose: 'sub-agent', csr: digest(der), subject: whom }
    return send('/agents/sub-agents', {
      assertion: await assertion(by, { ...at(ms), ...about }),
      subject: whom,
      csr: der.toString('base64url'),
    })
  }

  it('is brought up by its parent', async () => {
    const svid = svidOf((await enrolSubAgent(server.url, parent, child)).chain)
    expect(svid).toMatchObject({ spiffeId: child, definitionHash: definitionHash('mill-operator'), assurance: 'software' })
    expect(server.agents.get(`instance:${child}`)).toMatchObject({ parent: subject })
  })

  it.each<[string, Record<string, unknown>]>([
    ['a renewal', { purpose: 'renewal', subject: undefined }],
    ['another sub-agent', { subject: agentSpiffeId('mill-operator', 'c2') }],
    ['no sub-agent by name', { subject: undefined }],
    ['another key', { csr: 'A'.repeat(43) }],
  ])('attack 36: is not brought up by an assertion for %s', async (_what, change) => {
    const der = await csr()
    const about = { purpose: 'sub-agent', csr: digest(der), subject: child, ...change }
    const body = { assertion: await assertion(parent, about), subject: child, csr: der.toString('base64url') }
    expect(await send('/agents/sub-agents', body)).toEqual(refused)
    expect(server.agents.has(`instance:${child}`)).toBe(false)
  })

  it('never outlives it', async () => {
    const answer = (await bringUpAfter(1_800_000)) as { chain: string[] }
    const [child = 0, own = 0] = [Buffer.from(answer.chain[0] as string, 'base64url'), parent.chain[0] as Buffer].map((der) =>
      Date.parse(new X509Certificate(der).validTo),
    )
    expect(child).toBeLessThanOrEqual(own)
    // To the second, and by far less than the hour that it would have else.
    expect(own - child).toBeLessThanOrEqual(1000)
    expect(await bringUpAfter(3_590_000)).toEqual({ error: 'parent-ends' })
  })

  it('has its next certificate from its parent’s next one, while the one before still counts', async () => {
    const half = 1_800_000
    const endOf = (answer: unknown) =>
      svidOf((answer as { chain: string[] }).chain.map((der) => Buffer.from(der, 'base64url'))).notAfterMs
    const first = endOf(await bringUpAfter(0))
    const der = await csr()
    const request = { assertion: await assertion(parent, { ...at(half), ...renewalOf(der) }), csr: der.toString('base64url') }
    const { chain } = (await send('/agents/renewals', request)) as { chain: string[] }
    const identity = fixture.domain.identities.get('agent-laser-operator-z1')
    const renewed = signingKey(
      identity?.privateKey as Parameters<typeof signingKey>[0],
      chain.map((der) => Buffer.from(der, 'base64url')),
    )
    expect(endOf(await bringUpAfter(half + 1000, renewed))).toBeGreaterThan(first + half - 60_000)
    expect(first).toBeGreaterThan(Date.now() + half + 1000)
  })

  it('has none below it that outlives the first of them', async () => {
    edit('definition:mill-operator', { definition: { subAgents: ['mill-operator'] } })
    const key = await enrolSubAgent(server.url, parent, child)
    const grandchild = await enrolSubAgent(server.url, key, agentSpiffeId('mill-operator', 'c2'))
    expect(svidOf(grandchild.chain).notAfterMs).toBeLessThanOrEqual(svidOf(parent.chain).notAfterMs)
  })

  it('gets no certificate of its own accord', async () => {
    const key = await enrolSubAgent(server.url, parent, child)
    expect(await reasonOf(renewSoftwareAgent(server.url, key))).toBe('renewed-by-parent')
  })

  it('is of a definition that its parent’s names', async () => {
    const other = agentSpiffeId('job-orchestrator', 'c1')
    expect(await reasonOf(enrolSubAgent(server.url, parent, other))).toBe('sub-agent-not-allowed')
    expect(await reasonOf(enrolSubAgent(server.url, parent, 'spiffe://other.example/agent/mill-operator/c1'))).toBe(
      'not-an-agent',
    )
  })

  it('is nobody who is there already', async () => {
    const present = agentSpiffeId('mill-operator', 'z1')
    expect(await reasonOf(enrolSubAgent(server.url, parent, present))).toBe('not-your-sub-agent')
  })

  it('falls with its parent', async () => {
    edit('definition:mill-operator', { definition: { subAgents: ['mill-operator'] } })
    const key = await enrolSubAgent(server.url, parent, child)
    edit(`instance:${subject}`, { state: 'suspended' })
    expect(await reasonOf(enrolSubAgent(server.url, key, agentSpiffeId('mill-operator', 'c2')))).toBe('assertion-refused')
  })

  it('is one of not too many', async () => {
    const entry = { ...(server.agents.get(`instance:${subject}`) as object), parent: subject } as AgentEntry
    for (let at = 0; at < subAgentsMax; at++) server.agents.set(`instance:${at}`, entry)
    expect(await reasonOf(enrolSubAgent(server.url, parent, child))).toBe('too-many-sub-agents')
  })

  describe('whose entry does not come back from the table at once', () => {
    const late: (() => void)[] = []
    beforeEach(() => {
      late.length = 0
      server.parts.log.agent = async (id, entry) => {
        if (server.isLogAway) throw new Error('the log is away')
        late.push(() => server.agents.set(id, entry))
      }
    })
    const arrive = () => {
      for (const entry of late.splice(0)) entry()
    }
    /** Another agent of the same definition. */
    async function another(): Promise<SigningKey> {
      const admission = await admissionOf(fixture, { subject: agentSpiffeId('laser-operator', 's2') })
      const key = keyOf(await enrolSoftwareAgent(server.url, admission))
      arrive()
      return key
    }

    it('is brought up by one of two parents at once, and stays that one’s', async () => {
      const parents = [parent, await another()]
      const asked = await Promise.all(parents.map((one) => reasonOf(enrolSubAgent(server.url, one, child))))
      expect(asked.toSorted()).toEqual(['done', 'not-your-sub-agent'])
      const [winner, loser] = asked[0] === 'done' ? parents : parents.toReversed()
      expect(await reasonOf(enrolSubAgent(server.url, loser as SigningKey, child))).toBe('not-your-sub-agent')
      arrive()
      expect(server.agents.get(`instance:${child}`)).toMatchObject({ parent: winner?.spiffeId })
      expect(await reasonOf(enrolSubAgent(server.url, loser as SigningKey, child))).toBe('not-your-sub-agent')
    })

    it('is brought up again by the same parent, once it is there', async () => {
      expect(await reasonOf(enrolSubAgent(server.url, parent, child))).toBe('done')
      expect(await reasonOf(enrolSubAgent(server.url, parent, child))).toBe('sub-agent-pending')
      arrive()
      expect(await reasonOf(enrolSubAgent(server.url, parent, child))).toBe('done')
      expect(server.parts.broughtUp.size).toBe(0)
    })

    it('is one of not too many, of many at once', async () => {
      const entry = { ...(server.agents.get(`instance:${subject}`) as object), parent: subject } as AgentEntry
      for (let at = 0; at < subAgentsMax - 2; at++) server.agents.set(`instance:${at}`, entry)
      const names = Array.from({ length: 6 }, (_, at) => agentSpiffeId('mill-operator', `m${at}`))
      const asked = await Promise.all(names.map((name) => reasonOf(enrolSubAgent(server.url, parent, name))))
      expect(asked.filter((reason) => reason === 'done')).toHaveLength(2)
      expect(new Set(asked)).toEqual(new Set(['done', 'too-many-sub-agents']))
    })

    it('takes no name and no place where it could not be recorded, or its request is none', async () => {
      const other = await another()
      server.isLogAway = true
      expect(await reasonOf(enrolSubAgent(server.url, parent, child))).toBe('internal-error')
      server.isLogAway = false
      const about = { purpose: 'sub-agent', csr: digest(Buffer.of(0)), subject: child }
      const body = { assertion: await assertion(parent, about), subject: child, csr: 'AA' }
      expect(await send('/agents/sub-agents', body)).toEqual({ error: 'csr-malformed' })
      expect(await reasonOf(enrolSubAgent(server.url, other, child))).toBe('done')
    })
  })

  it('is not too deep', async () => {
    const line = [subject, ...['p1', 'p2', 'p3', 'p4'].map((name) => agentSpiffeId('laser-operator', name))]
    const entry = server.agents.get(`instance:${subject}`) as AgentEntry
    for (const [at, spiffeId] of line.entries())
      server.agents.set(`instance:${spiffeId}`, { ...entry, spiffeId, parent: line[at + 1] } as AgentEntry)
    expect(line).toHaveLength(descentMax + 1)
    expect(await reasonOf(enrolSubAgent(server.url, parent, child))).toBe('too-deep')
  })
})
