import { createPublicKey } from 'node:crypto'
import { type AgentEntry, type Intent, type IntentId, partitionOf, type RevocationEntry } from '@interlock/contracts'
import type { StageContext, StageInput } from '@interlock/enforcer'
import { createIntent, quantity } from '@interlock/sdk'
import { buildIntent, createFixture, createTables, type Fixture, type FixtureTables } from '@interlock/sdk/fixture'
import { agentSpiffeId, definitionHash } from '@interlock/sdk/trust-domain'
import { digest, type SigningKey, signIntentProof, signingKey, signJws, x5cOf } from '@interlock/trust'
import {
  createIntermediate,
  createRoot,
  type Issuer,
  issueCertificate,
  issueIdentity,
  type LeafProfile,
} from '@interlock/trust/issue'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { decide } from './decide.ts'
import { intentsMax, SeenIntents, seenForMs } from './seen-intents.ts'

const now = Date.UTC(2026, 10, 24, 12)
const operator = agentSpiffeId('laser-operator', 'z1')
const home = partitionOf('job-1', 6)

let fixture: Fixture
let tables: FixtureTables
let memory: SeenIntents

beforeAll(async () => {
  fixture = await createFixture(now)
})
beforeEach(async () => {
  tables = await createTables(fixture, { attestationKey: 'AA', pcrs: [0], pcrDigest: digest(Buffer.alloc(0)) })
  memory = new SeenIntents()
})

type Where = { readonly key?: string; readonly partition?: number; readonly at?: number }

function ask(intent: Intent, { key = intent.jobId, partition = home, at = now + 1000 }: Where = {}) {
  const input = {
    intent,
    intentBytes: fixture.codec.encode('intents', intent),
    command: JSON.parse(intent.command.toString('utf8')),
    statements: [],
    position: { topic: 'intents', partition, offset: 0 },
    key,
  } as unknown as StageInput
  const context = { now: at, tables, trust: fixture.trust.anchors, memory, partitions: 6 } as unknown as StageContext<SeenIntents>
  return decide(input, context)
}

const reasonOf = async (intent: Intent | Promise<Intent>, where?: Where) => {
  const verdict = ask(await intent, where)
  return verdict.verdict === 'ALLOW' ? 'ALLOW' : verdict.reasons[0]
}

async function signedBy(key: SigningKey, change: Partial<Parameters<typeof createIntent>[0]> = {}): Promise<Intent> {
  return createIntent({
    job: 'job-1',
    device: 'laser-1',
    capability: 'laser.cut',
    parameters: { power: quantity(60, 'W'), speed: quantity(20, 'mm/s') },
    tokens: fixture.job.tokens['agent-laser-operator-z1'] ?? [],
    key,
    audience: fixture.domain.bundle.audience,
    now,
    ...change,
  })
}

/** A key whose certificate has a name that no honest authority would write. */
async function misnamed(spiffeId: string): Promise<SigningKey> {
  const good = await issueIdentity(fixture.domain.issuer, { name: 'an agent', spiffeId: operator }, now)
  const profile = { name: 'an agent', spiffeId, definitionHash: definitionHash('laser-operator'), assurance: 'software' }
  const chain = await issueCertificate(fixture.domain.issuer, profile, createPublicKey(good.privateKey), now)
  return { ...signingKey(good.privateKey, good.chain), chain }
}

async function certified(profile: Partial<LeafProfile> = {}, issuer: Issuer = fixture.domain.issuer): Promise<SigningKey> {
  const hash = definitionHash('laser-operator')
  const whole = { name: 'an agent', spiffeId: operator, definitionHash: hash, assurance: 'software', ...profile }
  const { privateKey, chain } = await issueIdentity(issuer, whole, now)
  return signingKey(privateKey, chain)
}

const revoke = (kind: RevocationEntry['kind'], subject: string, from = now) =>
  tables['control.revocations'].set(`${kind}:${subject}`, { kind, subject, from, reason: 'test' })

function edit(id: string, change: Record<string, unknown>): void {
  const entry = tables['control.agents'].get(id)
  if (!entry) throw new Error(`the fixture has no ${id}`)
  tables['control.agents'].set(id, { ...entry, ...change } as AgentEntry)
}

function ownerOf(definition: string): string {
  const entry = tables['control.agents'].get(`definition:${definition}`)
  if (entry?.kind !== 'definition' || entry.owner === '') throw new Error(`nobody owns ${definition}`)
  return entry.owner
}

describe('identity-verify allows', () => {
  it('an agent as it was registered, and signs who it is', async () => {
    const verdict = ask(await buildIntent(fixture))
    const { keyId } = fixture.key('agent-laser-operator-z1')
    expect(verdict).toMatchObject({
      verdict: 'ALLOW',
      obligations: {
        agent: operator,
        definition: 'laser-operator',
        definitionHash: definitionHash('laser-operator'),
        owner: ownerOf('laser-operator'),
        assurance: 'software',
        certificate: keyId,
      },
    })
    expect(verdict.verdict === 'ALLOW' && verdict.expiresAt).toBeGreaterThan(now)
  })

  it('an intent anew once nobody could play it again', async () => {
    const intent = await buildIntent(fixture)
    memory.add({ intentId: intent.intentId, intent: fixture.codec.encode('intents', intent), decidedAt: now })
    memory.forget(now + seenForMs)
    expect(memory.size).toBe(0)
  })

  it('the same agent before its revocation holds', async () => {
    revoke('agent', operator, now + 60_000)
    expect(await reasonOf(buildIntent(fixture))).toBe('ALLOW')
  })
})

describe('identity-verify refuses, by where a record lies', () => {
  it('attack 111: a key that is not the job', async () =>
    expect(await reasonOf(buildIntent(fixture), { key: 'job-2' })).toBe('wrong-key'))
  it('attack 111: a partition that is not the job’s', async () =>
    expect(await reasonOf(buildIntent(fixture), { partition: (home + 1) % 6 })).toBe('wrong-partition'))
  it('an intentId that is no UUID', async () => {
    const intent = await buildIntent(fixture)
    expect(await reasonOf({ ...intent, intentId: 'x'.repeat(200) as IntentId })).toBe('intent-id-malformed')
  })
  it('attack 39: one proof at two instances at once, but at the one that has its job’s partition, and there once', async () => {
    const intent = await buildIntent(fixture)
    const instances = await Promise.all(
      [home, (home + 1) % 6].map(async (partition) => {
        // Each instance remembers for itself.
        memory = new SeenIntents()
        return reasonOf(intent, { partition })
      }),
    )
    expect(instances).toEqual(['ALLOW', 'wrong-partition'])
    memory.add({ intentId: intent.intentId, intent: fixture.codec.encode('intents', intent), decidedAt: now })
    expect(await reasonOf(intent)).toBe('replayed')
  })
  it('attacks 36 and 113: the same intent a second time', async () => {
    const intent = await buildIntent(fixture)
    memory.add({ intentId: intent.intentId, intent: fixture.codec.encode('intents', intent), decidedAt: now })
    expect(await reasonOf(intent)).toBe('replayed')
  })
  it('attack 112: another body under a known intentId', async () => {
    const intent = await buildIntent(fixture)
    memory.add({ intentId: intent.intentId, intent: Buffer.from('another body'), decidedAt: now })
    expect(await reasonOf(intent)).toBe('conflicting-intent')
  })
  it('attack 58: everything, rather than forget what it has seen', async () => {
    Object.defineProperty(memory, 'isFull', { value: true })
    expect(intentsMax).toBeGreaterThan(100_000)
    expect(await reasonOf(buildIntent(fixture))).toBe('memory-full')
  })
})

describe('identity-verify refuses, by certificate', () => {
  it('attack 1: an unknown root of the same name', async () => {
    const root = await createRoot('lab.interlock.example', now)
    const issuer = await createIntermediate(root, 'lab.interlock.example', now)
    expect(await reasonOf(signedBy(await certified({}, issuer)))).toBe('proof-path-untrusted')
  })
  it('attack 9: a name of ours by a partner’s authority', async () => {
    const root = await createRoot('partner.example', now)
    const issuer = await createIntermediate(root, 'partner.example', now)
    expect(await reasonOf(signedBy(await certified({}, issuer)))).toBe('proof-path-untrusted')
  })
  it('attack 8: a name of another trust domain', async () => {
    const key = await certified({ spiffeId: 'spiffe://partner.example/agent/laser-operator/z1' })
    expect(await reasonOf(signedBy(key))).toMatch(/^proof-svid/)
  })
  it.each([
    ['a dot segment', 'spiffe://lab.interlock.example/agent/../agent/laser-operator/z1'],
    ['a trailing slash', `${operator}/`],
    ['an empty segment', `${operator.replace('/agent/', '//agent/')}`],
    ['a fragment', `${operator}#x`],
    ['a user', operator.replace('spiffe://', 'spiffe://user@')],
    ['an upper-case scheme', operator.replace('spiffe:', 'SPIFFE:')],
    ['more than 2048 bytes', `${operator}${'a'.repeat(2048)}`],
    ['an upper-case domain', operator.replace('lab.', 'LAB.')],
    ['an escaped dot', 'spiffe://lab.interlock.example/agent/laser-operator/%2e%2e'],
    ['a query', `${operator}?x`],
    ['a port', operator.replace('.example/', '.example:443/')],
  ])('attack 7: %s in the name', async (_name, spiffeId) =>
    expect(await reasonOf(signedBy(await misnamed(spiffeId)))).toMatch(/^proof-(svid|certificate)/))
  it('attack 11: a certificate that has expired', async () => {
    const key = await certified({ validityDays: 0 })
    expect(await reasonOf(signedBy(key), { at: now + 60_000 })).toBe('proof-certificate-expired')
  })
  it('a certificate of ours that is no agent’s', async () =>
    expect(await reasonOf(signedBy(fixture.key('service-registry')))).toBe('not-an-agent'))
  it('a changed definition', async () => {
    const key = await certified({ definitionHash: digest(Buffer.from('another prompt')) })
    expect(await reasonOf(signedBy(key))).toBe('definition-mismatch')
  })
  it('a definition that is registered anew', async () => {
    edit('definition:laser-operator', { hash: digest(Buffer.from('a new version')) })
    expect(await reasonOf(buildIntent(fixture))).toBe('definition-mismatch')
  })
  it('attack 21: a definition that was suspended', async () => {
    edit('definition:laser-operator', { state: 'suspended' })
    expect(await reasonOf(buildIntent(fixture))).toBe('definition-not-active')
  })
  it('attack 21: a definition whose entry is gone', async () => {
    tables['control.agents'].delete('definition:laser-operator')
    expect(await reasonOf(buildIntent(fixture))).toBe('definition-unknown')
  })
  it('attack 21: an instance whose entry is gone, though its certificate is good', async () => {
    tables['control.agents'].delete(`instance:${operator}`)
    expect(await reasonOf(buildIntent(fixture))).toBe('instance-unknown')
  })
  it('attack 33: an instance whose platform lapsed', async () => {
    edit(`instance:${operator}`, { state: 'lapsed', assurance: 'software' })
    expect(await reasonOf(buildIntent(fixture))).toBe('instance-not-active')
  })
  it('an instance that was suspended', async () => {
    edit(`instance:${operator}`, { state: 'suspended' })
    expect(await reasonOf(buildIntent(fixture))).toBe('instance-not-active')
  })
  it.each<[string, (parent: string) => void]>([
    ['suspended', (parent) => edit(`instance:${parent}`, { state: 'suspended' })],
    ['revoked', (parent) => revoke('agent', parent)],
    ['of a suspended definition', () => edit('definition:mill-operator', { state: 'suspended' })],
    ['of a revoked definition', () => revoke('definition', definitionHash('mill-operator'))],
    ['gone', (parent) => tables['control.agents'].delete(`instance:${parent}`)],
    ['one of a circle', (parent) => edit(`instance:${parent}`, { parent })],
  ])('a sub-agent whose parent is %s', async (_what, fall) => {
    const parent = agentSpiffeId('mill-operator', 'z1')
    edit(`instance:${operator}`, { parent })
    expect(await reasonOf(buildIntent(fixture))).toBe('ALLOW')
    memory = new SeenIntents()
    fall(parent)
    expect(await reasonOf(buildIntent(fixture))).toBe('parent-not-active')
  })

  it.each([
    ['its agent', 'agent', (): string => operator],
    ['its certificate', 'certificate', (): string => fixture.key('agent-laser-operator-z1').keyId],
    ['its definition', 'definition', (): string => definitionHash('laser-operator')],
    ['its job', 'job', (): string => 'job-1'],
  ] as const)('attack 12: what was revoked: %s', async (_name, kind, subject) => {
    revoke(kind, subject())
    expect(await reasonOf(buildIntent(fixture))).toBe('revoked')
  })
})

describe('identity-verify refuses, by the platform', () => {
  const demand = (change: Record<string, unknown>) => {
    const device = tables['control.devices'].get('laser-1')
    if (device) tables['control.devices'].set('laser-1', { ...device, ...change } as typeof device)
  }

  it('a device that nobody enrolled', async () => {
    tables['control.devices'].clear()
    expect(await reasonOf(buildIntent(fixture))).toBe('device-unknown')
  })
  it('software where the device demands a TPM', async () => {
    demand({ demandsAssurance: 'tpm' })
    expect(await reasonOf(buildIntent(fixture))).toBe('assurance-too-low')
  })
  it('a table that says more than the certificate', async () => {
    demand({ demandsAssurance: 'tpm' })
    edit(`instance:${operator}`, { assurance: 'tpm' })
    expect(await reasonOf(buildIntent(fixture))).toBe('assurance-too-low')
  })
  it('a certificate that says more than the table', async () => {
    demand({ demandsAssurance: 'tpm' })
    expect(await reasonOf(signedBy(await certified({ assurance: 'tpm' })))).toBe('assurance-too-low')
  })
  it('attack 33: an appraisal that has grown too old', async () => {
    demand({ appraisalAgeMsMax: 1000 })
    edit(`instance:${operator}`, { appraisedAt: now - 60_000 })
    expect(await reasonOf(buildIntent(fixture))).toBe('appraisal-too-old')
  })
})

describe('identity-verify refuses, by the proof', () => {
  const agentKey = () => fixture.key('agent-laser-operator-z1')
  const prove = async (
    intent: Intent,
    change: Partial<Parameters<typeof signIntentProof>[0]>,
    by: SigningKey = agentKey(),
  ): Promise<Intent> => {
    const claims = {
      audience: fixture.domain.bundle.audience,
      intentId: intent.intentId,
      jobId: intent.jobId,
      commandDigest: digest(intent.command),
      leafToken: intent.tokens.at(-1) ?? '',
      now,
      ...change,
    } as Parameters<typeof signIntentProof>[0]
    return { ...intent, proof: await signIntentProof(claims, by) }
  }

  it.each([
    ['attack 36: made for another intent', 'proof-intent', { intentId: '00000000-0000-4000-8000-000000000000' }],
    ['attack 36: made for another job', 'proof-job', { jobId: 'job-2' }],
    ['attack 36: made for another command', 'proof-command', { commandDigest: digest(Buffer.from('another')) }],
    ['attack 36: made with another token', 'proof-token', { leafToken: 'another' }],
    ['attack 22: made for another audience', 'proof-audience', { audience: 'enforcer.evil' }],
    ['attack 37: of ten minutes and more ago', 'proof-expired', { now: now - 11 * 60_000 }],
    ['attack 37: of ten minutes ahead', 'proof-not-yet-valid', { now: now + 10 * 60_000 }],
  ] as const)('%s', async (_name, reason, change) => {
    const intent = await buildIntent(fixture)
    expect(await reasonOf(prove(intent, change as never))).toBe(reason)
  })

  it('attack 38: whose key is not the certificate’s', async () => {
    const intent = await buildIntent(fixture)
    const other = await certified()
    const [header = '', payload = ''] = intent.proof.split('.')
    const signature = (await other.sign(Buffer.from(`${header}.${payload}`))).toString('base64url')
    expect(await reasonOf({ ...intent, proof: `${header}.${payload}.${signature}` })).toBe('proof-signature')
  })

  it('attack 36: that was made for another purpose by the same key', async () => {
    const intent = await buildIntent(fixture)
    const iat = Math.floor(now / 1000)
    const { spiffeId, chain } = agentKey()
    const claims = { iss: spiffeId, sub: spiffeId, aud: fixture.domain.bundle.audience, jti: intent.intentId, iat, exp: iat + 60 }
    const assertion = await signJws({ typ: 'JWT', x5c: x5cOf(chain) }, claims, agentKey())
    expect(await reasonOf({ ...intent, proof: assertion })).toMatch(/^proof-/)
  })

  it('attack 22: that is a JWT-SVID, which whoever carries it could show', async () => {
    const intent = await buildIntent(fixture)
    const claims = { sub: operator, aud: fixture.domain.bundle.audience, iat: now / 1000, exp: now / 1000 + 300 }
    const token = await signJws({ typ: 'JWT', kid: agentKey().keyId }, claims, agentKey())
    expect(await reasonOf({ ...intent, proof: token })).toBe('proof-header')
  })

  it('attack 59: in five parts, as a JWE has', async () => {
    const intent = await buildIntent(fixture)
    expect(await reasonOf({ ...intent, proof: `${intent.proof}.x.y` })).toMatch(/^proof-/)
  })

  it('attack 42: in another spelling', async () => {
    const intent = await buildIntent(fixture)
    expect(await reasonOf({ ...intent, proof: `${intent.proof}=` })).toMatch(/^proof-/)
  })
})
