import { controlTables, type Decision, type DecisionStatement, type Order, type SignedStatement } from '@interlock/contracts'
import { buildOrder, createFixture, decisionOf, type Fixture } from '@interlock/sdk/fixture'
import { openTrustBundle, signStatements, VerifiedRoots, verifySignedStatement } from '@interlock/trust'
import { beforeAll, describe, expect, test } from 'vitest'
import { draftDecision } from './decision.ts'
import { type EnforcerParts, enforce, unverifiedSubject } from './enforce.ts'
import { isGenuine, signedEventId } from './genuine.ts'
import type { Incoming, ReactionContext, Tables } from './processor.ts'
import { sealDecisions } from './seal.ts'
import { deny, type Stage, type StageInput } from './stage.ts'
import { verifyInput } from './stage-input.ts'

const now = 1_760_000_000_000
const emptyTables = Object.fromEntries(Object.keys(controlTables).map((table) => [table, new Map()])) as unknown as Tables
let fixture: Fixture
let order: Order
let parts: EnforcerParts
let alarms: unknown[]

beforeAll(async () => {
  fixture = await createFixture(now)
  order = await buildOrder(fixture)
  parts = {
    codec: fixture.codec,
    trust: openTrustBundle(fixture.domain.bundle),
    roots: new VerifiedRoots(),
    key: fixture.key('semantic-bounds'),
    alarm: (error) => alarms.push(error),
  }
  alarms = []
})

const context = (changes: Partial<ReactionContext> = {}): ReactionContext => ({
  now: now + 100,
  tables: emptyTables,
  random: () => Buffer.alloc(32),
  partitions: 6,
  ...changes,
})

/** delegation-check's ALLOW as semantic-bounds reads it, with what a test changes of it. */
function allowed(changes: Partial<Decision> = {}, partition = 0): Incoming<'Decision'> {
  const position = { topic: 'decisions.delegation-check', partition, offset: 9 }
  const record = { ...decisionOf(fixture, order, 'delegation-check'), ...changes }
  return { position, key: order.jobId, record, bytes: fixture.codec.encode('decisions.delegation-check', record) }
}

const eventIdOf = (signed: SignedStatement | undefined) =>
  (JSON.parse(signed?.statement.toString('utf8') ?? '{}') as Pick<Decision, 'eventId'>).eventId

/** semantic-bounds whose decision is the test's. */
const stageOf = (decide: Stage<string[], 'too-much'>['decide']): Stage<string[], 'too-much'> => ({
  name: 'semantic-bounds',
  input: 'decisions.delegation-check',
  output: 'decisions.semantic-bounds',
  tables: [],
  horizonMs: 1000,
  remember: () => [],
  fold: (memory, decision) => memory.push(decision.eventId),
  forget: () => {},
  decide,
})
const allowing = stageOf(() => ({ verdict: 'ALLOW', obligations: { risk: 'low' }, expiresAt: now + 1000 }))

async function decisionOn(stage: Stage<string[], 'too-much'>, input: Incoming, changes: Partial<ReactionContext> = {}) {
  const [write, ...others] = await enforce(stage, parts).react([], input, context(changes))
  expect(others).toEqual([])
  return write?.record as Decision
}

describe('a stage', () => {
  test('writes one decision for an ALLOW of the stage before, with the id of its input and its statement last', async () => {
    const decision = await decisionOn(allowing, allowed())
    expect(decision).toMatchObject({ eventId: 'semantic-bounds:decisions.delegation-check:0:9', verdict: 'ALLOW', reasons: [] })
    expect(decision.statements).toHaveLength(3)
    expect(decision.intent).toEqual(order.intent)
  })

  test.each(['DENY', 'ESCALATE'] as const)('passes over a %s of the stage before', async (verdict) => {
    expect(await enforce(allowing, parts).react([], allowed({ verdict }), context())).toEqual([])
  })

  test('denies with internal-error when its decision throws, and says so', async () => {
    const fault = new Error('unforeseen')
    const decision = await decisionOn(
      stageOf(() => {
        throw fault
      }),
      allowed(),
    )
    expect(decision).toMatchObject({ verdict: 'DENY', reasons: ['internal-error'] })
    expect(alarms).toEqual([fault])
  })

  test('believes no flat field: device, human and risk are those that were signed', async () => {
    const asked: StageInput[] = []
    const stage = stageOf((input) => {
      asked.push(input)
      return deny('too-much')
    })
    const lies = { device: 'mill-1', human: 'mallory', agent: 'mallory', risk: 'high', jobId: 'job-9', intentId: 'another' }
    const decision = await decisionOn(stage, allowed(lies as Partial<Decision>))
    expect(asked[0]?.intent.device).toBe('laser-1')
    expect(decision).toMatchObject({ device: 'laser-1', human: 'alice', jobId: 'job-1', intentId: order.intentId, risk: '' })
    expect(decision.agent).toBe(fixture.key('agent-laser-operator-z1').spiffeId)
  })

  test('remembers only decisions that it signed in its name: who can write to the topic fills no memory', async () => {
    const processor = enforce(allowing, parts)
    const [write] = await sealDecisions(await processor.react([], allowed(), context()), parts.key)
    const incoming = (record: Decision): Incoming => ({
      position: { topic: 'decisions.semantic-bounds', partition: 0, offset: 0 },
      key: order.jobId,
      record,
      bytes: fixture.codec.encode('decisions.semantic-bounds', record),
    })
    const genuine = write?.record as Decision
    const memory: string[] = []
    expect(processor.observe(memory, incoming(genuine))).toBe(true)
    const forged = genuine.statements.map((signed) => ({ ...signed, signature: Buffer.alloc(64) }))
    expect(processor.observe(memory, incoming({ ...genuine, statements: forged }))).toBe(false)
    expect(processor.observe(memory, incoming({ ...genuine, statements: genuine.statements.slice(0, 2) }))).toBe(false)
    expect(memory).toEqual([genuine.eventId])
  })
})

describe('an input that does not verify is denied by the reason, and its bytes are kept', () => {
  const edit = (statements: readonly SignedStatement[], at: number, change: Partial<SignedStatement>) =>
    statements.map((signed, index) => (index === at ? { ...signed, ...change } : signed))
  const cases: readonly (readonly [string, string, () => Incoming<'Decision'>, Partial<ReactionContext>?])[] = [
    ['a statement is missing', 'chain-missing-statement', () => onlyLast(1)],
    [
      'a signature is another',
      'chain-bad-signature',
      () => allowed({ statements: edit(all(), 0, { signature: Buffer.alloc(64) }) }),
    ],
    ['the key is nobody’s', 'chain-unknown-key', () => allowed({ statements: edit(all(), 0, { keyId: 'A'.repeat(43) }) })],
    [
      'the statements are swapped',
      'chain-wrong-stage',
      () => withOwn([all()[1] as SignedStatement, all()[1] as SignedStatement]),
    ],
    ['the decisions have expired', 'chain-expired', () => allowed(), { now: now + 120_000 }],
    [
      'the record’s event id is not what was signed',
      'chain-other-event',
      () => allowed({ eventId: 'x:y:0:1' as Decision['eventId'] }),
    ],
    ['it was copied into another partition', 'chain-other-event', () => allowed({}, 3)],
    ['the intent’s bytes cannot be read', 'intent-frame-magic', () => allowed({ intent: Buffer.from('no intent') })],
  ]
  const all = () => order.statements.slice(0, 2)
  const withOwn = (statements: SignedStatement[]) => allowed({ statements, eventId: eventIdOf(statements.at(-1)) })
  const onlyLast = (at: number) => withOwn([all()[at] as SignedStatement])

  for (const [what, reason, input, changes = {}] of cases) {
    test(`${what}: ${reason}`, async () => {
      const incoming = input()
      const decision = await decisionOn(allowing, incoming, changes)
      expect(decision).toMatchObject({ verdict: 'DENY', reasons: [reason] })
      expect(decision.intent).toEqual(incoming.record.intent)
    })
  }

  test('a stage’s key is revoked by now, whatever time its decision claims (ATTACKS 158), and not one that will be', () => {
    const keyId = fixture.key('delegation-check').keyId
    const revokedAt = (from: number): Tables => ({
      ...emptyTables,
      'control.revocations': new Map([[`enforcer-key:${keyId}`, { from }]]) as unknown as Tables['control.revocations'],
    })
    const verified = (from: number) =>
      verifyInput(allowed(), 'semantic-bounds', { now: now + 100, tables: revokedAt(from) }, parts)
    expect(verified(now)).toMatchObject({ ok: false, reason: 'chain-revoked-key' })
    // The decision says a time before this.
    expect(verified(now + 100)).toMatchObject({ ok: false, reason: 'chain-revoked-key' })
    expect(verified(now + 50_000).ok).toBe(true)
  })

  test('what the stage before signed is a DENY, whatever the record says', async () => {
    const editStatement = (statement: DecisionStatement): DecisionStatement =>
      statement.stage === 'delegation-check' ? { ...statement, verdict: 'DENY', reasons: ['x'] } : statement
    const denied = await buildOrder(fixture, { editStatement })
    const decision = await decisionOn(allowing, allowed({ statements: denied.statements.slice(0, 2), intent: denied.intent }))
    expect(decision).toMatchObject({ verdict: 'DENY', reasons: ['chain-not-allowed'] })
  })
})

describe('what is signed', () => {
  test('a batch has one tree and one signature, and a statement in two records is signed once', async () => {
    const drafts = [1, 2, 3].map((offset) => ({
      topic: 'decisions.semantic-bounds',
      key: 'job-1',
      record: draftDecision('semantic-bounds', { topic: 'a', partition: 0, offset }, subject(), deny('too-much'), now),
    }))
    const sealed = await sealDecisions([...drafts, { ...(drafts[0] as (typeof drafts)[0]), topic: 'dispatch' }], parts.key)
    const own = sealed.map(({ record }) => (record as Decision).statements.at(-1) as SignedStatement)
    expect(own.map(({ treeSize }) => treeSize)).toEqual([3, 3, 3, 3])
    expect(own[3]).toEqual(own[0])
    for (const signed of own) expect(verifySignedStatement(signed, parts.trust, new VerifiedRoots()).ok).toBe(true)
  })
  const subject = () => unverifiedSubject(allowed(), fixture)

  test('an event id that the statement does not say is none; a statement by another stage’s key is not genuine', async () => {
    const { record } = allowed()
    expect(signedEventId(record)).toBe(record.eventId)
    expect(signedEventId({ ...record, eventId: 'x:y:0:1' as Decision['eventId'] })).toBeUndefined()
    expect(isGenuine(allowed(), parts)).toBe(true)
    const bytes = (record.statements.at(-1) as SignedStatement).statement
    const statements = await signStatements([bytes], fixture.key('identity-verify'))
    expect(isGenuine(allowed({ statements }), parts)).toBe(false)
  })
})
