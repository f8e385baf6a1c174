import type { ControlTable, Decision, Order, RevocationEntry, StageName } from '@interlock/contracts'
import { partitionOf } from '@interlock/contracts'
import { stage as delegationCheck } from '@interlock/delegation-check/stage'
import { outHalf } from '@interlock/device-dispatch/out-half'
import { enforce, type Processor } from '@interlock/enforcer'
import { TestPartition } from '@interlock/enforcer/test-partition'
import { stage as identityVerify } from '@interlock/identity-verify/stage'
import { verifyOrder } from '@interlock/sdk'
import {
  buildOrder,
  createFixture,
  createTables,
  decisionOf,
  type Fixture,
  type FixtureTables,
  orderContext,
} from '@interlock/sdk/fixture'
import { agentSpiffeId, definitionHash } from '@interlock/sdk/trust-domain'
import { consentId, digest, readTaskToken, VerifiedRoots } from '@interlock/trust'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'

/** Revocation by each kind, at each place that an intent passes. What the token service and the registry refuse is in their own tests. */
const now = Date.UTC(2026, 10, 24, 12)
const home = partitionOf('job-1', 6)
const operator = agentSpiffeId('laser-operator', 'z1')
const orchestrator = agentSpiffeId('job-orchestrator', 'o1')

type Place = 'identity-verify' | 'delegation-check' | 'device-dispatch' | 'adapter'
type Kind = RevocationEntry['kind']

let fixture: Fixture
let tables: FixtureTables
let order: Order
let tokens: readonly string[]
beforeAll(async () => {
  fixture = await createFixture(now)
  tokens = (fixture.job.tokens['agent-laser-operator-z1'] ?? []).map((text) => {
    const read = readTaskToken(text)
    if (!read.ok) throw new Error(read.reason)
    return `${read.value.claims.iss} ${read.value.claims.jti}`
  })
  const root = fixture.job.tokens['agent-job-orchestrator-o1']?.[0] ?? ''
  order = await buildOrder(fixture, {
    editStatement: (statement) => ({
      ...statement,
      eventId: statement.eventId.replace(':0:', `:${home}:`),
      ...(statement.stage === 'delegation-check' && {
        obligations: { ...statement.obligations, tokens, consent: consentIdOf(root) },
      }),
    }),
  })
})
beforeEach(async () => {
  tables = await createTables(fixture, { attestationKey: 'AA', pcrs: [0], pcrDigest: digest(Buffer.alloc(0)) })
})

function consentIdOf(root: string): string {
  const read = readTaskToken(root)
  if (!read.ok || !read.value.claims.consent) throw new Error('the root token bears no consent')
  return consentId(read.value.claims.consent)
}

const parts = (stage: StageName) => ({
  codec: fixture.codec,
  trust: fixture.trust.anchors,
  roots: new VerifiedRoots(),
  key: fixture.key(stage),
  alarm: (error: unknown) => {
    throw error
  },
})

async function decided<Memory>(processor: Processor<Memory>, topic: string, record: Decision | undefined): Promise<string> {
  const intent = fixture.codec.decode('intents', order.intent, 'Intent')
  if (!intent.ok) throw new Error(intent.reason)
  // A processor reads no other tables than those it names.
  const named = Object.fromEntries(
    Object.entries(tables).map(([table, entries]) => [table, isNamed(processor, table) ? entries : new Map()]),
  )
  const partition = new TestPartition(processor, {
    codec: fixture.codec,
    tables: named as FixtureTables,
    partition: home,
    now: now + 1000,
  })
  const [write] = await partition.meet(topic, 'job-1', record ?? intent.value)
  const { verdict, reasons } = write?.record as Decision
  return [verdict, ...reasons].join(' ')
}
const isNamed = (processor: Pick<Processor<unknown>, 'tables'>, table: string) => processor.tables.includes(table as ControlTable)

const asked: Readonly<Record<Place, () => Promise<string>>> = {
  'identity-verify': () => decided(enforce(identityVerify, parts('identity-verify')), 'intents', undefined),
  'delegation-check': () =>
    decided(
      enforce(delegationCheck, parts('delegation-check')),
      'decisions.identity-verify',
      decisionOf(fixture, order, 'identity-verify'),
    ),
  'device-dispatch': () =>
    decided(outHalf(parts('device-dispatch')), 'decisions.approval-router', decisionOf(fixture, order, 'approval-router')),
  adapter: async () => {
    const verdict = await verifyOrder(order, orderContext(fixture, tables, now + 1000))
    return verdict.ok ? 'ALLOW' : `DENY ${verdict.reason}`
  },
}
const places = Object.keys(asked) as Place[]

it.each(places)('nothing is revoked, and %s allows', async (place) => expect(await asked[place]()).toBe('ALLOW'))

/** What a place answers; where it is left out, it does not look at this kind, and a place before it or after it does. */
const revocations: readonly (readonly [
  what: string,
  kind: Kind,
  subject: () => string,
  answers: Partial<Record<Place, string>>,
])[] = [
  [
    'the acting agent',
    'agent',
    () => operator,
    {
      'identity-verify': 'revoked',
      'delegation-check': 'revoked',
      'device-dispatch': 'revoked',
      adapter: 'delegation-revoked',
    },
  ],
  [
    'the agent that delegated',
    'agent',
    () => orchestrator,
    { 'delegation-check': 'revoked', 'device-dispatch': 'revoked', adapter: 'delegation-revoked' },
  ],
  [
    'the acting agent’s definition',
    'definition',
    () => definitionHash('laser-operator'),
    { 'identity-verify': 'revoked', 'delegation-check': 'actor-not-active', 'device-dispatch': 'revoked', adapter: 'revoked' },
  ],
  [
    // No token says it: a device, which has no table of agents, learns it by the certificates that the registry ends.
    'the definition of who delegated',
    'definition',
    () => definitionHash('job-orchestrator'),
    { 'delegation-check': 'actor-not-active', 'device-dispatch': 'actor-not-active' },
  ],
  [
    'the acting agent’s certificate',
    'certificate',
    () => fixture.key('agent-laser-operator-z1').keyId,
    {
      'identity-verify': 'revoked',
      'delegation-check': 'revoked',
      'device-dispatch': 'revoked',
      adapter: 'delegation-revoked',
    },
  ],
  [
    'the certificate of who delegated',
    'certificate',
    () => fixture.key('agent-job-orchestrator-o1').keyId,
    { 'delegation-check': 'revoked', adapter: 'delegation-revoked' },
  ],
  [
    'the root token',
    'token',
    () => tokens[0] ?? '',
    { 'delegation-check': 'revoked', 'device-dispatch': 'revoked', adapter: 'delegation-revoked' },
  ],
  [
    'the acting agent’s token',
    'token',
    () => tokens[1] ?? '',
    { 'delegation-check': 'revoked', 'device-dispatch': 'revoked', adapter: 'delegation-revoked' },
  ],
  [
    'the job',
    'job',
    () => 'job-1',
    {
      'identity-verify': 'revoked',
      'delegation-check': 'revoked',
      'device-dispatch': 'revoked',
      adapter: 'delegation-revoked',
    },
  ],
  [
    'the human',
    'human',
    () => 'alice',
    { 'delegation-check': 'revoked', 'device-dispatch': 'revoked', adapter: 'delegation-revoked' },
  ],
  [
    'what the human signed',
    'standing-grant',
    () => consentIdOf(fixture.job.tokens['agent-job-orchestrator-o1']?.[0] ?? ''),
    { 'delegation-check': 'revoked', 'device-dispatch': 'revoked', adapter: 'delegation-revoked' },
  ],
  ['the device', 'device', () => 'laser-1', { 'device-dispatch': 'revoked', adapter: 'revoked' }],
  [
    'the key of the first enforcer',
    'enforcer-key',
    () => fixture.key('identity-verify').keyId,
    { 'delegation-check': 'chain-revoked-key', 'device-dispatch': 'chain-revoked-key', adapter: 'chain-revoked-key' },
  ],
  ['the key of the last enforcer', 'enforcer-key', () => fixture.key('device-dispatch').keyId, { adapter: 'chain-revoked-key' }],
  [
    'attack 158: the key of the token service',
    'enforcer-key',
    () => fixture.key('service-token').keyId,
    { 'delegation-check': 'revoked', adapter: 'delegation-revoked' },
  ],
]

describe.each(revocations)('%s is revoked', (_what, kind, subject, answers) => {
  const revoke = (from: number) =>
    tables['control.revocations'].set(`${kind}:${subject()}`, { kind, subject: subject(), from, reason: 'test' })

  it.each(places)('%s', async (place) => {
    revoke(now)
    const answer = answers[place]
    expect(await asked[place]()).toBe(answer === undefined ? 'ALLOW' : `DENY ${answer}`)
  })

  it('and counts until then', async () => {
    revoke(now + 60_000)
    for (const place of places) expect(await asked[place]()).toBe('ALLOW')
  })
})

it('attack 9: a device asks for the definition that identity-verify signed: a certificate, perhaps a partner’s, says another', async () => {
  const subject = 'G'.repeat(43)
  const signed = await buildOrder(fixture, {
    editStatement: (statement) => ({
      ...statement,
      ...(statement.stage === 'identity-verify' && { obligations: { ...statement.obligations, definitionHash: subject } }),
    }),
  })
  const verify = () => verifyOrder(signed, orderContext(fixture, tables, now + 1000))
  expect(await verify()).toMatchObject({ ok: true })
  tables['control.revocations'].set(`definition:${subject}`, { kind: 'definition', subject, from: now, reason: 'test' })
  expect(await verify()).toMatchObject({ ok: false, reason: 'revoked' })
})
