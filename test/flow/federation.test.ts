import { randomUUID } from 'node:crypto'
import { type AgentEntry, type DecisionStatement, type FederationEntry, type Intent, partitionOf } from '@interlock/contracts'
import { decide as delegationCheck } from '@interlock/delegation-check/decide'
import type { StageContext, StageInput } from '@interlock/enforcer'
import { decide as identityVerify } from '@interlock/identity-verify/decide'
import { refreshPartner } from '@interlock/registry/partners'
import { configured, fixtureOf, startBundleEndpoint } from '@interlock/registry/test-partner'
import { admissionOf, startTestRegistry, type TestRegistry } from '@interlock/registry/test-registry'
import { createIntent, delegate, enrolSoftwareAgent, quantity, verifyOrder } from '@interlock/sdk'
import {
  buildConsent,
  buildOrder,
  createFixture,
  createTables,
  type Fixture,
  type FixtureTables,
  orderContext,
} from '@interlock/sdk/fixture'
import { operatorGrants } from '@interlock/sdk/trust-domain'
import { readTaskToken, type SigningKey, signingKey, signTaskToken } from '@interlock/trust'
import { type TestDomain, testDomain } from '@interlock/trust/test-domain'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'

const robot = 'spiffe://partner.example/agent/laser-operator/r1'
const orchestrator = 'agent-job-orchestrator-o1'

let fixture: Fixture
let domain: TestDomain
let ours: TestRegistry
let theirs: TestRegistry
let tables: FixtureTables
/** The partner's agent, certified by the partner's registry. */
let agent: SigningKey
let now: number
const closing: (() => void)[] = []

beforeAll(async () => {
  fixture = await createFixture(Date.now())
  domain = await testDomain(['service/registry', 'operator/dev'], Date.now(), 'partner.example')
  const partners = fixtureOf(domain, fixture)
  ours = await startTestRegistry(fixture, [])
  theirs = await startTestRegistry(partners, [])
  const endpoint = await startBundleEndpoint(theirs.parts, await domain.issue('service/registry'))
  closing.push(ours.close, theirs.close, endpoint.close)
  const asked = await refreshPartner(configured(domain.anchors, endpoint.url), ours.parts)
  if (!asked.ok) throw new Error(asked.reason)
  const { privateKey, chain } = await enrolSoftwareAgent(theirs.url, await admissionOf(partners, { subject: robot }))
  agent = signingKey(privateKey, chain)
  const admission = await admissionOf(fixture, { subject: robot, definition: 'laser-operator' })
  const headers = { 'content-type': 'application/json' }
  const answer = await fetch(`${ours.url}/federated-agents`, { method: 'POST', body: JSON.stringify({ admission }), headers })
  if (!answer.ok) throw new Error(await answer.text())
  now = Date.now()
})
afterAll(() => {
  for (const close of closing) close()
})
beforeEach(async () => {
  tables = await createTables(fixture, { attestationKey: 'AA', pcrs: [0], pcrDigest: 'A'.repeat(43) })
  tables['control.agents'] = new Map(ours.agents)
  tables['control.federation'] = new Map(ours.federation)
})

const other = () => fixture.key('agent-laser-operator-z1')

/** A job in which alice lets her orchestrator delegate to the partner's agent by name. */
async function jobFor(...agents: string[]): Promise<string[]> {
  const read = readTaskToken(fixture.job.tokens[orchestrator]?.[0] ?? '')
  if (!read.ok) throw new Error(read.reason)
  const consent = buildConsent(fixture, { mayDelegateTo: agents })
  const claims = { ...read.value.claims, jti: randomUUID(), consent, may_act: { sub: agents } }
  return [await signTaskToken(claims, { kid: fixture.key('service-token') })]
}

/** The orchestrator, who is ours, lets it act: bound to its certificate. */
async function intentOf(by: SigningKey = agent, tokens?: readonly string[]): Promise<Intent> {
  const chain = tokens ?? (await delegated(await jobFor(by.spiffeId, other().spiffeId), fixture.key(orchestrator), by))
  return createIntent({
    job: 'job-1',
    device: 'laser-1',
    capability: 'laser.cut',
    parameters: { power: quantity(60, 'W'), speed: quantity(20, 'mm/s') },
    tokens: chain,
    key: by,
    audience: fixture.domain.bundle.audience,
    now,
  })
}

const delegated = (tokens: readonly string[], key: SigningKey, to: SigningKey) =>
  delegate({
    ...{ tokens, key, now, validitySeconds: 600, grants: operatorGrants('laser-1') },
    to: { spiffeId: to.spiffeId, certificateThumbprint: to.keyId },
    mayDelegateTo: [other().spiffeId],
  })

function ask(intent: Intent, at = now + 1000) {
  const input = {
    intent,
    intentBytes: fixture.codec.encode('intents', intent),
    command: JSON.parse(intent.command.toString('utf8')),
    statements: [],
    position: { topic: 'intents', partition: partitionOf('job-1', 6), offset: 0 },
    key: intent.jobId,
  } as unknown as StageInput
  const memory = { get: () => undefined, isFull: false, size: 0 }
  return identityVerify(input, {
    now: at,
    tables,
    trust: fixture.trust.anchors,
    memory,
    partitions: 6,
  } as unknown as StageContext<never>)
}
const reasonOf = async (intent: Intent | Promise<Intent>, at?: number) => {
  const verdict = ask(await intent, at)
  return verdict.verdict === 'ALLOW' ? 'ALLOW' : verdict.reasons[0]
}
const edit = (id: string, change: object) =>
  tables['control.agents'].set(id, { ...tables['control.agents'].get(id), ...change } as AgentEntry)
const partner = (change: Partial<FederationEntry>) =>
  tables['control.federation'].set('partner.example', {
    ...tables['control.federation'].get('partner.example'),
    ...change,
  } as FederationEntry)
const demand = (change: object) => {
  const device = tables['control.devices'].get('laser-1')
  if (device) tables['control.devices'].set('laser-1', { ...device, ...change })
}

describe('an intent of a partner’s agent', () => {
  it('passes identity-verify by an entry of ours, as our definition, with our owner, as software', async () => {
    const definition = tables['control.agents'].get('definition:laser-operator')
    edit(`instance:${robot}`, { assurance: 'tee' })
    expect(ask(await intentOf())).toMatchObject({
      verdict: 'ALLOW',
      obligations: {
        agent: robot,
        definition: 'laser-operator',
        owner: definition?.kind === 'definition' ? definition.owner : undefined,
        assurance: 'software',
        certificate: agent.keyId,
      },
    })
  })

  it('is refused without an entry: that a partner vouches for it is not enough', async () => {
    tables['control.agents'].delete(`instance:${robot}`)
    expect(await reasonOf(intentOf())).toBe('federated-agent-unknown')
  })

  it.each<[string, () => void, string]>([
    [
      'its trust domain is not federated',
      () => tables['control.federation'].delete('partner.example'),
      'proof-svid-trust-domain',
    ],
    ['its partner’s roots are overdue', () => partner({ expiresAt: now }), 'proof-trust-domain-overdue'],
    ['its partner withdrew its root', () => partner({ roots: [] }), 'proof-path-untrusted'],
    ['its entry is suspended', () => edit(`instance:${robot}`, { state: 'suspended' }), 'instance-not-active'],
    ['our definition is suspended', () => edit('definition:laser-operator', { state: 'suspended' }), 'definition-not-active'],
    ['our definition is gone', () => tables['control.agents'].delete('definition:laser-operator'), 'definition-unknown'],
    ['the device demands a TPM', () => demand({ demandsAssurance: 'tpm' }), 'assurance-too-low'],
    // An entry that says more than it may: still software.
    [
      'the device demands a TPM, whatever the entry says',
      () => {
        demand({ demandsAssurance: 'tpm' })
        edit(`instance:${robot}`, { assurance: 'tee' })
      },
      'assurance-too-low',
    ],
    // However fresh the entry is.
    [
      'its certificate is older than the device accepts',
      () => {
        demand({ appraisalAgeMsMax: 1000 })
        edit(`instance:${robot}`, { appraisedAt: now + 900 })
      },
      'appraisal-too-old',
    ],
  ])('is refused where %s', async (_what, fall, reason) => {
    const intent = await intentOf()
    fall()
    expect(await reasonOf(intent)).toBe(reason)
  })

  it.each<['agent' | 'definition', () => string]>([
    ['agent', () => robot],
    [
      'definition',
      () => {
        const entry = tables['control.agents'].get('definition:laser-operator')
        return entry?.kind === 'definition' ? entry.hash : ''
      },
    ],
  ])('is refused where the %s was revoked here', async (kind, subject) => {
    tables['control.revocations'].set(`${kind}:${subject()}`, { kind, subject: subject(), from: now, reason: 'test' })
    expect(await reasonOf(intentOf())).toBe('revoked')
  })

  it.each([
    'enforcer/identity-verify',
    'service/registry',
    'device/laser-1',
    'operator/dev',
  ])('attack 8: of the local role %s is nobody’s, though an entry says otherwise', async (path) => {
    const { privateKey, chain } = await domain.issue(path)
    const key = signingKey(privateKey, chain)
    edit(`instance:${key.spiffeId}`, { ...tables['control.agents'].get(`instance:${robot}`), spiffeId: key.spiffeId })
    expect(await reasonOf(intentOf(key))).toBe('not-an-agent')
  })
})

describe('a partner’s agent', () => {
  const checked = async (intent: Intent, by: SigningKey = agent) => {
    const identity = {
      stage: 'identity-verify',
      verdict: 'ALLOW',
      obligations: { agent: by.spiffeId, certificate: by.keyId },
      expiresAt: now + 900_000,
    }
    const input = {
      intent,
      command: JSON.parse(intent.command.toString('utf8')),
      statements: [identity as unknown as DecisionStatement],
    }
    return delegationCheck(
      input as unknown as StageInput,
      { now: now + 1000, tables, trust: fixture.trust.anchors } as unknown as StageContext<null>,
    )
  }

  it('acts under a token that an agent of ours made for it, where the human let it', async () => {
    expect(await checked(await intentOf())).toMatchObject({
      verdict: 'ALLOW',
      obligations: { human: 'alice', actors: [expect.any(String), robot] },
    })
    const [root = ''] = fixture.job.tokens[orchestrator] ?? []
    const uninvited = await delegated([root], fixture.key(orchestrator), agent)
    expect(await checked(await intentOf(agent, uninvited))).toMatchObject({ verdict: 'DENY', reasons: ['may-not-delegate'] })
  })

  it('delegates nothing on: what it signs itself is no token', async () => {
    const held = await delegated(await jobFor(robot, other().spiffeId), fixture.key(orchestrator), agent)
    const onward = await delegated(held, agent, other())
    expect(await checked(await intentOf(other(), onward), other())).toMatchObject({
      verdict: 'DENY',
      reasons: ['path-untrusted'],
    })
  })
})

describe('the device', () => {
  it('checks the partner’s agent itself, offline, by the signed entry', async () => {
    const intent = await intentOf()
    const order = await buildOrder(
      { ...fixture, now },
      {
        intent,
        editStatement: (one) =>
          one.stage === 'identity-verify'
            ? { ...one, obligations: { ...one.obligations, agent: robot, certificate: agent.keyId } }
            : one,
      },
    )
    const verdict = async (federation: FixtureTables['control.federation']) => {
      const context = orderContext(
        fixture,
        { ...tables, 'control.stops': new Map(), 'control.revocations': new Map() },
        now + 1000,
      )
      const verified = await verifyOrder(order, { ...context, standing: { ...context.standing, federation } })
      return verified.ok ? 'runs' : verified.reason
    }
    expect(await verdict(new Map())).toBe('proof-svid-trust-domain')
    expect(
      await verdict(
        new Map([
          ['partner.example', { ...tables['control.federation'].get('partner.example'), expiresAt: now } as FederationEntry],
        ]),
      ),
    ).toBe('proof-trust-domain-overdue')
    expect(await verdict(tables['control.federation'])).toBe('runs')
  })
})
