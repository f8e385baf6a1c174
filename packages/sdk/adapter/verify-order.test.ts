import type { Human, Order, SignedStatement } from '@interlock/contracts'
import { stageNames } from '@interlock/contracts'
import { VerifiedRoots } from '@interlock/trust'
import { beforeAll, describe, expect, test } from 'vitest'
import { buildIntent, buildOrder, createFixture, type Fixture, type OrderPlan } from '../fixture/index.ts'
import { agentSpiffeId } from '../trust-domain/domain.ts'
import { deviceEntry } from '../trust-domain/laboratory.ts'
import { DeviceUse } from './device-use.ts'
import { type OrderContext, verifyOrder } from './verify-order.ts'

const now = Date.UTC(2026, 10, 24, 12)
const tpm = { attestationKey: 'AA', pcrs: [0], pcrDigest: '' }
let fixture: Fixture
let good: Order
let approved: Order
let stranger: Fixture
beforeAll(async () => {
  fixture = await createFixture(now)
  stranger = await createFixture(now)
  good = await buildOrder(fixture)
  approved = await buildOrder(fixture, { approvers: ['bob', 'carol'] })
})

function contextOf(change: Partial<OrderContext> = {}): OrderContext {
  return {
    device: 'laser-1',
    trust: fixture.trust,
    standing: { stops: new Map(), revocations: new Map(), federation: new Map() },
    profile: deviceEntry('laser-1', tpm, now),
    codec: fixture.codec,
    hasBegun: () => false,
    use: new DeviceUse(),
    now: now + 1000,
    skewMs: 30_000,
    verifiedRoots: new VerifiedRoots(),
    ...change,
  }
}

const outcomeOf = async (order: Order, change: Partial<OrderContext> = {}) => {
  const verdict = await verifyOrder(order, contextOf(change))
  return verdict.ok ? 'accepted' : verdict.reason
}
const planned = async (plan: OrderPlan, change: Partial<OrderContext> = {}) => outcomeOf(await buildOrder(fixture, plan), change)
const at = (order: Order, index: number) => order.statements[index] as SignedStatement
const replaced = (order: Order, index: number, statement: SignedStatement): Order => ({
  ...order,
  statements: order.statements.with(index, statement),
})

test('accepts a good order, with and without approvals', async () => {
  expect(await outcomeOf(good)).toBe('accepted')
  expect(await outcomeOf(approved)).toBe('accepted')
})

test('hands on what was verified', async () => {
  const verdict = await verifyOrder(approved, contextOf())
  expect(verdict).toMatchObject({
    ok: true,
    value: {
      command: { device: 'laser-1', parameters: { power: { value: '60', unit: 'W' } } },
      quantities: { power: { value: '60', unit: 'W' } },
      human: 'alice',
      actors: [agentSpiffeId('job-orchestrator', 'o1'), agentSpiffeId('laser-operator', 'z1')],
    },
  })
})

describe('ATTACKS 91, 92, 93: who says so', () => {
  test.each(
    stageNames.map((stage, index) => [stage, index] as const),
  )('refuses an order without the statement of %s', async (_, index) => {
    expect(await outcomeOf({ ...good, statements: good.statements.toSpliced(index, 1) })).toBe('chain-missing-statement')
  })

  test.each(
    stageNames.map((stage, index) => [stage, index] as const),
  )('refuses a statement of %s that another stage signed (attack 102: no dispatcher without its own SVID)', async (stage, index) => {
    const other = stageNames[(index + 1) % 5] as string
    expect(await planned({ signWith: (name) => (name === stage ? other : name) })).toBe('chain-wrong-key-role')
  })

  test.each(stageNames)('refuses a statement of %s by a key that the bundle does not have', async (stage) => {
    const foreign = await buildOrder({ ...fixture, key: (name) => (name === stage ? stranger : fixture).key(name) })
    expect(await outcomeOf(foreign)).toBe('chain-unknown-key')
  })

  test.each(stageNames)('refuses a DENY of %s among them', async (stage) => {
    expect(await planned({ editStatement: (one) => (one.stage === stage ? { ...one, verdict: 'DENY' } : one) })).toBe(
      'chain-not-allowed',
    )
  })

  test.each(stageNames)('refuses an expired decision of %s', async (stage) => {
    expect(await planned({ editStatement: (one) => (one.stage === stage ? { ...one, expiresAt: now } : one) })).toBe(
      'chain-expired',
    )
  })

  test.each(
    stageNames.map((stage, index) => [stage, index] as const),
  )('refuses the statement of %s from another order', async (_, index) => {
    expect(await outcomeOf(replaced(good, index, at(approved, index)))).toBe('chain-bad-link')
  })

  test('refuses an order in another order, and one statement too many', async () => {
    expect(await outcomeOf({ ...good, statements: good.statements.toReversed() })).toBe('chain-wrong-stage')
    expect(await outcomeOf({ ...good, statements: [...good.statements, at(good, 4)] })).toBe('chain-surplus-statement')
  })

  test('refuses another intent under the same statements', async () => {
    expect(await outcomeOf({ ...good, intent: approved.intent })).toBe('chain-bad-link')
    expect(await outcomeOf({ ...good, intent: Buffer.from('no record') })).toBe('intent-undecodable')
  })

  test('refuses an order for another device, by record or by what is signed', async () => {
    expect(await outcomeOf(good, { device: 'mill-1' })).toBe('not-for-this-device')
    const other = (name: string, value: unknown) =>
      planned({
        editStatement: (one) =>
          one.stage === 'device-dispatch' ? { ...one, obligations: { ...one.obligations, [name]: value } } : one,
      })
    expect(await other('device', 'mill-1')).toBe('device-differs')
    expect(await other('jobId', 'job-2')).toBe('job-differs')
    expect(await other('approvals', ['A'.repeat(43)])).toBe('approvals-differ')
    expect(await other('nonce', 'short')).toBe('obligations-malformed')
  })

  test.each([
    ['event-id-differs', { eventId: 'device-dispatch:x:0:1' as Order['eventId'] }],
    ['intent-id-differs', { intentId: 'other' as Order['intentId'] }],
    ['job-differs', { jobId: 'other' as Order['jobId'] }],
    ['decided-at-differs', { decidedAt: now + 9 }],
    ['deadline-differs', { deadline: now + 900_000 }],
  ])('refuses a record whose columns say otherwise: %s', async (reason, change) => {
    expect(await outcomeOf({ ...good, ...change })).toBe(reason)
  })
})

describe('the agent and who stands behind it', () => {
  test('refuses an intent by another agent than identity-verify saw', async () => {
    const other = agentSpiffeId('mill-operator', 'z1')
    expect(
      await planned({
        editStatement: (one) =>
          one.stage === 'identity-verify' ? { ...one, obligations: { ...one.obligations, agent: other } } : one,
      }),
    ).toBe('agent-differs')
  })

  test('refuses a human that the tokens do not name', async () => {
    expect(
      await planned({
        editStatement: (one) =>
          one.stage === 'delegation-check' ? { ...one, obligations: { ...one.obligations, human: 'bob' } } : one,
      }),
    ).toBe('human-differs')
  })

  test('refuses a proof that is not of this intent, though five stages allowed it', async () => {
    const [intent, other] = [await buildIntent(fixture), await buildIntent(fixture)]
    expect(await planned({ intent: { ...intent, proof: other.proof } })).toMatch(/^proof-/)
  })

  test('refuses tokens that do not make a chain, though five stages allowed it', async () => {
    const intent = await buildIntent({
      ...fixture,
      job: { ...fixture.job, tokens: { 'agent-laser-operator-z1': stranger.job.tokens['agent-laser-operator-z1'] ?? [] } },
    })
    expect(await planned({ intent })).toMatch(/^delegation-/)
  })

  test('refuses when the tokens have expired meanwhile', async () => {
    const later = now + 3600_000 + 60_000
    const plan: OrderPlan = {
      editStatement: (one) => ({
        ...one,
        expiresAt: later + 60_000,
        ...(one.stage === 'device-dispatch' && { obligations: { ...one.obligations, deadline: later + 60_000 } }),
      }),
    }
    expect(await planned(plan, { now: later })).toMatch(/^delegation-/)
  })
})

describe('approvals', () => {
  test('refuses one that is missing, swapped, repeated or edited', async () => {
    const [first, second] = approved.approvals as [Buffer, Buffer]
    for (const approvals of [[], [first], [second, first], [first, first], [first, Buffer.concat([second, Buffer.of(0)])]]) {
      expect(await outcomeOf({ ...approved, approvals })).toBe('approvals-differ')
    }
  })

  test('refuses an invented consent, though approval-router signed that it was given (one compromised enforcer)', async () => {
    const forged = await buildOrder({ ...fixture, domain: stranger.domain }, { approvers: ['bob'] })
    expect(await outcomeOf(forged)).toMatch(/^approval-/)
  })

  test.each([
    ['another command', { commandDigest: 'A'.repeat(43) }],
    ['another intent', { intentId: 'other' }],
    ['other decisions before it', { previous: 'A'.repeat(43) }],
    ['another job', { jobId: 'job-2' }],
  ])('refuses a consent to %s', async (_, change) => {
    const reason = await planned({ approvers: ['bob'], editApproval: (request) => ({ ...request, ...change }) })
    expect(reason).toMatch(/^approval-(other-request|.*)$/)
    expect(reason).not.toBe('accepted')
  })

  test('refuses a human who said no, counted as a yes', async () => {
    expect(await planned({ approvers: ['bob'], editApproval: (request) => ({ ...request, answer: 'DENY' }) })).toBe(
      'approval-denied',
    )
  })

  test('refuses the same human twice, too few, and the requester alone', async () => {
    expect(await planned({ approvers: ['bob', 'bob'] })).toBe('approval-repeated')
    expect(await planned({ approvers: ['alice'] })).toBe('approval-requester-alone')
    const three: OrderPlan = {
      approvers: ['bob', 'carol'],
      editStatement: (one) =>
        one.stage === 'approval-router' ? { ...one, obligations: { ...one.obligations, required: 3 } } : one,
    }
    expect(await planned(three)).toBe('approvals-too-few')
  })

  test('refuses every order where the bundle pins no humans: nobody is there who could have wanted it', async () => {
    const trust = { ...fixture.trust, humans: new Map() }
    expect(await outcomeOf(approved, { trust })).toBe('approval-human-unknown')
    expect(await outcomeOf(good, { trust })).toBe('human-not-a-requester')
  })

  test.each([
    ['is suspended', { state: 'suspended' as const }, 'human-not-a-requester'],
    ['may only approve', { roles: ['approver' as const] }, 'human-not-a-requester'],
    ['has no passkey any more', { credentials: [] }, 'consent-unknown-credential'],
  ])('refuses the job of a human who, in the bundle, %s', async (_what, change, reason) => {
    const alice = fixture.trust.humans.get('alice') as Human
    const trust = { ...fixture.trust, humans: new Map(fixture.trust.humans).set('alice', { ...alice, ...change }) }
    expect(await outcomeOf(good, { trust })).toBe(reason)
  })
})

describe('whether it may still happen', () => {
  test('ATTACKS 94: refuses what it has begun before', async () => {
    expect(await outcomeOf(good, { hasBegun: (intentId) => intentId === good.intentId })).toBe('already-run')
  })

  test('ATTACKS 96: refuses after the deadline that is signed', async () => {
    expect(await outcomeOf(good, { now: good.deadline })).toBe('accepted')
    expect(await outcomeOf(good, { now: good.deadline + 1 })).toBe('deadline-passed')
  })

  test('ATTACKS 97: refuses what was decided before a stop, also when it is lifted', async () => {
    const stop = { scope: 'device', subject: 'laser-1', changedAt: now + 500, reason: '' } as const
    const withStop = (state: 'stopped' | 'lifted') => ({
      standing: { revocations: new Map(), federation: new Map(), stops: new Map([['device:laser-1', { ...stop, state }]]) },
    })
    expect(await outcomeOf(good, withStop('stopped'))).toBe('stopped')
    expect(await outcomeOf(good, withStop('lifted'))).toBe('decided-before-lift')
  })

  test.each([
    ['job', 'job-1'],
    ['human', 'alice'],
    ['device', 'laser-1'],
    ['agent', agentSpiffeId('laser-operator', 'z1')],
    ['agent', agentSpiffeId('job-orchestrator', 'o1')],
  ] as const)('refuses when %s %s is revoked', async (kind, subject) => {
    const revocations = new Map([[`${kind}:${subject}`, { kind, subject, from: now, reason: '' }]])
    expect(await outcomeOf(good, { standing: { stops: new Map(), revocations, federation: new Map() } })).toMatch(/revoked/)
  })

  test('ATTACKS 104: refuses when an enforcer key is revoked, whatever time its statement claims', async () => {
    const { keyId } = fixture.key('semantic-bounds')
    const revocations = new Map([
      [`enforcer-key:${keyId}`, { kind: 'enforcer-key', subject: keyId, from: now + 900, reason: '' } as const],
    ])
    expect(await outcomeOf(good, { standing: { stops: new Map(), revocations, federation: new Map() } })).toBe(
      'chain-revoked-key',
    )
  })

  test('refuses when an approver is revoked', async () => {
    const revocations = new Map([['human:bob', { kind: 'human', subject: 'bob', from: now, reason: '' } as const]])
    const standing = { stops: new Map(), revocations, federation: new Map() }
    expect(await outcomeOf(approved, { standing })).toBe('revoked')
    expect(await outcomeOf(good, { standing })).toBe('accepted')
  })

  test('a refusal names the order only where it was genuine', async () => {
    const late = await verifyOrder(good, contextOf({ now: good.deadline + 1 }))
    expect(late).toMatchObject({ ok: false, genuine: { intent: { intentId: good.intentId } } })
    const forged = await verifyOrder({ ...good, statements: [] }, contextOf())
    expect(forged).not.toHaveProperty('genuine')
  })
})
