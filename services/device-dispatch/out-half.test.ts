import {
  type AgentEntry,
  type ApprovalPolicy,
  type Decision,
  type DecisionStatement,
  type DeviceEntry,
  type Order,
  type OrderObligations,
  partitionOf,
  type RevocationEntry,
  type SignedStatement,
  type StopEntry,
} from '@interlock/contracts'
import { statementOf, type Write } from '@interlock/enforcer'
import { TestPartition } from '@interlock/enforcer/test-partition'
import {
  buildOrder,
  createFixture,
  createTables,
  decisionOf,
  type Fixture,
  type FixtureTables,
  type OrderPlan,
} from '@interlock/sdk/fixture'
import { digest, VerifiedRoots } from '@interlock/trust'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { DispatchedIntents } from './dispatched-intents.ts'
import { outHalf } from './out-half.ts'

const now = Date.UTC(2026, 10, 24, 12)
const partition = partitionOf('job-1', 6)
const input = 'decisions.approval-router'
const output = 'decisions.device-dispatch'

let fixture: Fixture
let stranger: Fixture
let tables: FixtureTables
let dispatch: TestPartition<DispatchedIntents>
let serial = 0

beforeAll(async () => {
  fixture = await createFixture(now)
  stranger = await createFixture(now)
})
beforeEach(async () => {
  tables = await createTables(fixture, { attestationKey: 'AA', pcrs: [0], pcrDigest: digest(Buffer.alloc(0)) })
  dispatch = start(partition)
})

function start(at: number): TestPartition<DispatchedIntents> {
  const parts = {
    codec: fixture.codec,
    trust: fixture.trust.anchors,
    roots: new VerifiedRoots(),
    key: fixture.key('device-dispatch'),
    alarm: () => {},
  }
  return new TestPartition(outHalf(parts), { codec: fixture.codec, tables, partition: at, now: now + 1000 })
}

type Plan = OrderPlan & { readonly risk?: string; readonly maker?: Fixture }

/** What approval-router allowed, from intent to its ALLOW. */
async function routed(plan: Plan = {}): Promise<Decision> {
  const { risk = 'low', maker = fixture, ...order } = plan
  const offset = serial++
  const made = await buildOrder(maker, {
    ...order,
    editStatement: (statement) => {
      const placed = { ...statement, eventId: statement.eventId.replace(':0:7', `:${partition}:${offset}`) }
      const judged = placed.stage === 'semantic-bounds' ? { ...placed, obligations: { ...placed.obligations, risk } } : placed
      return plan.editStatement?.(judged) ?? judged
    },
  })
  return decisionOf(maker, made, 'approval-router')
}

const meet = (decision: Decision) => dispatch.meet(input, decision.jobId, decision)
const decisionIn = (writes: readonly Write[]) => writes.find(({ topic }) => topic === output)?.record as Decision
const orderIn = (writes: readonly Write[]) => writes.find(({ topic }) => topic === 'dispatch')?.record as Order | undefined

/** Verdict and reason; a refusal must come without an order. */
async function said(decision: Decision): Promise<string> {
  const writes = await meet(decision)
  const { verdict, reasons } = decisionIn(writes)
  expect(writes).toHaveLength(verdict === 'ALLOW' ? 2 : 1)
  return [verdict, ...reasons].join(' ')
}

const laser = () => tables['control.devices'].get('laser-1') as DeviceEntry
const change = (device: Partial<DeviceEntry>) => tables['control.devices'].set('laser-1', { ...laser(), ...device })
const revoke = (kind: RevocationEntry['kind'], subject: string) =>
  tables['control.revocations'].set(`${kind}:${subject}`, { kind, subject, from: now, reason: 'test' })
const stop = (entry: Pick<StopEntry, 'scope' | 'subject'> & Partial<StopEntry>) =>
  tables['control.stops'].set(`${entry.scope}:${entry.subject}`, { state: 'stopped', changedAt: now, reason: 'test', ...entry })

describe('an order', () => {
  test('is the ALLOW, signed once, with a nonce and a deadline of its own, under the name of the device', async () => {
    const writes = await meet(await routed())
    const decision = decisionIn(writes)
    const order = orderIn(writes) as Order
    expect(writes.map(({ topic, key }) => [topic, key])).toEqual([
      [output, 'job-1'],
      ['dispatch', 'laser-1'],
    ])
    expect(order.statements).toEqual(decision.statements)
    expect(order.statements.at(-1)?.signature.length).toBeGreaterThan(0)
    const statement = statementOf(decision) as DecisionStatement
    const obligations = statement.obligations as OrderObligations
    expect(obligations).toEqual({
      device: 'laser-1',
      jobId: 'job-1',
      nonce: Buffer.alloc(32, 1).toString('base64url'),
      deadline: now + 16_000,
      approvals: [],
    })
    expect(order).toMatchObject({ eventId: decision.eventId, device: 'laser-1', jobId: 'job-1', deadline: now + 16_000 })
    // Begin by the deadline, end by the expiry.
    expect(statement.expiresAt).toBe(now + 16_000 + laser().completionMsMax)
  })

  test('lapses with the first of the decisions before it', async () => {
    const soon = (statement: DecisionStatement) =>
      statement.stage === 'delegation-check' ? { ...statement, expiresAt: now + 5000 } : statement
    expect(orderIn(await meet(await routed({ editStatement: soon })))?.deadline).toBe(now + 5000)
  })

  test('is sent again after a crash, as it was signed, and only where it was an order', async () => {
    const sent = orderIn(await meet(await routed()))
    const repeated = await dispatch.restart()
    expect(repeated.map(({ record }) => record)).toEqual([sent])
    await meet(await routed({ risk: 'unheard-of' }))
    expect(await dispatch.restart()).toEqual([])
  })

  test('passes over what was denied or asked', async () => {
    for (const verdict of ['DENY', 'ESCALATE'] as const) {
      const other = await routed({
        editStatement: (statement) => (statement.stage === 'approval-router' ? { ...statement, verdict } : statement),
      })
      expect(await meet(other)).toEqual([])
    }
  })
})

describe('attack 92: a chain that is not whole', () => {
  test.each([0, 1, 2])('without statement %i', async (at) => {
    const good = await routed()
    expect(await said({ ...good, statements: good.statements.toSpliced(at, 1) })).toBe('DENY chain-missing-statement')
  })

  test('with two that changed places', async () => {
    const good = await routed()
    const [first, second, ...rest] = good.statements as [SignedStatement, SignedStatement, ...SignedStatement[]]
    expect(await said({ ...good, statements: [second, first, ...rest] })).toBe('DENY chain-wrong-stage')
  })

  test('with one of another intent', async () => {
    const [good, other] = [await routed(), await routed()]
    const statements = good.statements.with(1, other.statements[1] as SignedStatement)
    expect(await said({ ...good, statements })).toBe('DENY chain-bad-link')
  })

  test('with a DENY among them', async () => {
    const denied = (statement: DecisionStatement): DecisionStatement =>
      statement.stage === 'semantic-bounds' ? { ...statement, verdict: 'DENY' } : statement
    expect(await said(await routed({ editStatement: denied }))).toBe('DENY chain-not-allowed')
  })

  test('with one that has expired', async () => {
    const expired = (statement: DecisionStatement) =>
      statement.stage === 'identity-verify' ? { ...statement, expiresAt: now + 999 } : statement
    expect(await said(await routed({ editStatement: expired }))).toBe('DENY chain-expired')
  })

  test('attack 93: with one that another stage signed', async () => {
    const decision = await routed({ signWith: (stage) => (stage === 'semantic-bounds' ? 'identity-verify' : stage) })
    expect(await said(decision)).toBe('DENY chain-wrong-key-role')
  })

  test('attack 104: with one by an unknown key', async () => {
    expect(await said({ ...(await routed()), statements: (await routed({ maker: stranger })).statements })).toBe(
      'DENY chain-unknown-key',
    )
  })

  test('attack 158: with one whose key was revoked before', async () => {
    revoke('enforcer-key', fixture.key('approval-router').keyId)
    expect(await said(await routed())).toBe('DENY chain-revoked-key')
  })

  test('whose first decision is older than single use is remembered for', async () => {
    const long = (statement: DecisionStatement) => ({ ...statement, expiresAt: now + 7_200_000 })
    dispatch.now = now + 30 * 60_000
    expect(await said(await routed({ editStatement: long }))).toBe('ALLOW')
    dispatch.now += 1
    expect(await said(await routed({ editStatement: long }))).toBe('DENY decisions-too-old')
  })
})

describe('attack 94: a machine is told once', () => {
  test('a second ALLOW of an intent is a replay, after a restart too', async () => {
    const first = await routed()
    const intent = fixture.codec.decode('intents', first.intent, 'Intent')
    if (!intent.ok) throw new Error(intent.reason)
    expect(await said(first)).toBe('ALLOW')
    expect(await said(await routed({ intent: intent.value }))).toBe('DENY replayed')
    await dispatch.restart()
    expect(await said(await routed({ intent: intent.value }))).toBe('DENY replayed')
  })

  test('a second ALLOW of an intent that was refused stays refused', async () => {
    stop({ scope: 'all', subject: '' })
    const first = await routed()
    const intent = fixture.codec.decode('intents', first.intent, 'Intent')
    if (!intent.ok) throw new Error(intent.reason)
    expect(await said(first)).toBe('DENY stopped')
    tables['control.stops'].clear()
    expect(await said(await routed({ intent: intent.value }))).toBe('DENY replayed')
  })

  test('the very record again is a repeat and is not answered', async () => {
    const decision = await routed()
    expect(await meet(decision)).toHaveLength(2)
    expect(await meet(decision)).toEqual([])
  })

  test('attack 87: a yes after the approvers’ no does not count', async () => {
    const denied = await routed({
      editStatement: (statement) => (statement.stage === 'approval-router' ? { ...statement, verdict: 'DENY' } : statement),
    })
    const intent = fixture.codec.decode('intents', denied.intent, 'Intent')
    if (!intent.ok) throw new Error(intent.reason)
    await meet(denied)
    expect(await said(await routed({ intent: intent.value }))).toBe('DENY refused-before')
  })

  test('a no that approval-router did not sign, or that answers nothing allowed, stands in no intent’s way', async () => {
    const no = (statement: DecisionStatement): DecisionStatement =>
      statement.stage === 'approval-router' ? { ...statement, verdict: 'DENY' } : statement
    const forged = await routed({
      editStatement: no,
      signWith: (stage) => (stage === 'approval-router' ? 'identity-verify' : stage),
    })
    await meet(forged)
    const stray = await routed({ editStatement: no })
    await meet({ ...stray, statements: stray.statements.toSpliced(2, 1) })
    for (const { intent } of [forged, stray]) {
      const decoded = fixture.codec.decode('intents', intent, 'Intent')
      if (!decoded.ok) throw new Error(decoded.reason)
      expect(await said(await routed({ intent: decoded.value }))).toBe('ALLOW')
    }
  })

  test('the refusal of a forged input stands in no intent’s way', async () => {
    const good = await routed()
    const forged = { ...good, eventId: good.eventId, statements: (await routed({ maker: stranger })).statements }
    expect(await said(forged)).toBe('DENY chain-unknown-key')
    expect(await said(good)).toBe('ALLOW')
  })

  test('copies of genuine decisions in the own topic stand in no intent’s way', async () => {
    const good = await routed()
    await dispatch.meet(output, 'job-1', good)
    const elsewhere = start((partition + 1) % 6)
    const decided = decisionIn(await meet(await routed()))
    await elsewhere.meet(output, 'job-1', decided)
    expect(elsewhere.memory.has(decided.intentId)).toBe(false)
    expect(await said(good)).toBe('ALLOW')
  })
})

describe('the device', () => {
  test.each<[string, () => void]>([
    ['device-unknown', () => tables['control.devices'].clear()],
    ['device-not-active', () => change({ state: 'suspended' })],
    ['capability-unknown', () => change({ capabilities: {} })],
    ['device-too-slow', () => change({ completionMsMax: 3_600_000 })],
    [
      'device-appraisal-too-old',
      () => change({ attestation: { ...laser().attestation, appraisedAt: now - 5000, appraisalAgeMsMax: 5999 } }),
    ],
  ])('%s', async (reason, arrange) => {
    arrange()
    expect(await said(await routed())).toBe(`DENY ${reason}`)
  })
})

describe('attack 97: a stop overtakes what is on its way', () => {
  test.each<[StopEntry['scope'], () => string]>([
    ['all', () => ''],
    ['job', () => 'job-1'],
    ['device', () => 'laser-1'],
    ['agent', () => fixture.key('agent-laser-operator-z1').spiffeId],
    ['agent', () => fixture.key('agent-job-orchestrator-o1').spiffeId],
  ])('of %s', async (scope, subject) => {
    stop({ scope, subject: subject() })
    expect(await said(await routed())).toBe('DENY stopped')
  })

  test('what was decided before the stop was lifted stays where it is; what comes after goes on', async () => {
    stop({ scope: 'all', subject: '', state: 'lifted', changedAt: now + 500 })
    expect(await said(await routed())).toBe('DENY decided-before-lift')
    stop({ scope: 'all', subject: '', state: 'lifted', changedAt: now - 1 })
    expect(await said(await routed())).toBe('ALLOW')
  })

  test('of another device does not concern it', async () => {
    stop({ scope: 'device', subject: 'mill-1' })
    expect(await said(await routed())).toBe('ALLOW')
  })
})

describe('revoked while it was on its way', () => {
  test.each<[RevocationEntry['kind'], () => string]>([
    ['device', () => 'laser-1'],
    ['job', () => 'job-1'],
    ['human', () => 'alice'],
    ['agent', () => fixture.key('agent-laser-operator-z1').spiffeId],
    ['agent', () => fixture.key('agent-job-orchestrator-o1').spiffeId],
    ['certificate', () => fixture.key('agent-laser-operator-z1').keyId],
    ['token', () => 'spiffe://lab.interlock.example/service/token root-token'],
  ])('%s', async (kind, subject) => {
    revoke(kind, subject())
    const withToken = (statement: DecisionStatement) =>
      statement.stage === 'delegation-check'
        ? {
            ...statement,
            obligations: { ...statement.obligations, tokens: ['spiffe://lab.interlock.example/service/token root-token'] },
          }
        : statement
    expect(await said(await routed({ editStatement: withToken }))).toBe('DENY revoked')
  })

  test('definition', async () => {
    const decision = await routed()
    const identity = JSON.parse((decision.statements[0] as SignedStatement).statement.toString('utf8')) as DecisionStatement
    revoke('definition', identity.obligations.definitionHash as string)
    expect(await said(decision)).toBe('DENY revoked')
  })
})

test('attack 33: a device that lapsed is told nothing', async () => {
  change({ state: 'lapsed' })
  expect(await said(await routed())).toBe('DENY device-not-active')
})

describe('attack 57: an agent over whom it came stopped to count while it was on its way', () => {
  test.each(['agent-laser-operator-z1', 'agent-job-orchestrator-o1'])('%s lapsed', async (name) => {
    const id = `instance:${fixture.key(name).spiffeId}`
    const instance = tables['control.agents'].get(id) as AgentEntry
    tables['control.agents'].set(id, { ...instance, state: 'lapsed' } as AgentEntry)
    expect(await said(await routed())).toBe('DENY actor-not-active')
  })
})

describe('approvals are verified again', () => {
  const policy = () => tables['control.policies'].get('approval') as ApprovalPolicy
  const withRequired = (required: number) => (statement: DecisionStatement) =>
    statement.stage === 'approval-router' ? { ...statement, obligations: { ...statement.obligations, required } } : statement

  test('lets pass what a human approved, and hands the records on', async () => {
    const writes = await meet(await routed({ risk: 'medium', approvers: ['bob'] }))
    const order = orderIn(writes) as Order
    expect(order.approvals).toHaveLength(1)
    expect((statementOf(decisionIn(writes)) as DecisionStatement).obligations.approvals).toEqual(order.approvals.map(digest))
  })

  test('attack 92: a router that says no human was needed is not believed', async () => {
    expect(await said(await routed({ risk: 'medium' }))).toBe('DENY approvals-too-few')
    expect(await said(await routed({ risk: 'high', approvers: ['bob'], editStatement: withRequired(1) }))).toBe(
      'DENY approvals-too-few',
    )
  })

  test('a router that wanted more than the policy does is held to it', async () => {
    expect(await said(await routed({ risk: 'medium', approvers: ['bob'], editStatement: withRequired(2) }))).toBe(
      'DENY approvals-too-few',
    )
  })

  test('the requester alone is not enough', async () => {
    expect(await said(await routed({ risk: 'medium', approvers: ['alice'] }))).toBe('DENY approval-requester-alone')
  })

  test('one human twice is one', async () => {
    expect(await said(await routed({ risk: 'high', approvers: ['bob', 'bob'] }))).toBe('DENY approval-repeated')
  })

  test('approvals that were added, dropped or swapped on the way', async () => {
    const decision = await routed({ risk: 'high', approvers: ['bob', 'carol'] })
    expect(await said({ ...decision, approvals: decision.approvals.slice(1) })).toBe('DENY approvals-differ')
    const other = await routed({ risk: 'high', approvers: ['bob', 'carol'] })
    expect(await said({ ...other, approvals: other.approvals.toReversed() })).toBe('DENY approvals-differ')
  })

  test.each<[string, Plan]>([
    ['approval-other-request', { editApproval: (request) => ({ ...request, previous: digest(Buffer.alloc(0)) }) }],
    ['approval-other-request', { editApproval: (request) => ({ ...request, commandDigest: digest(Buffer.alloc(0)) }) }],
    ['approval-other-request', { editApproval: (request) => ({ ...request, jobId: 'job-2' }) }],
    ['approval-other-request', { editApproval: (request) => ({ ...request, answer: 'DENY' }) }],
    ['approval-expired', { editApproval: (request) => ({ ...request, expiresAt: now }) }],
    ['approval-mismatch', { editApproval: (request) => ({ ...request, human: 'carol' }) }],
  ])('attack 79: %s', async (reason, plan) => {
    expect(await said(await routed({ risk: 'medium', approvers: ['bob'], ...plan }))).toBe(`DENY ${reason}`)
  })

  test('an answer that was given in time does not lapse on its way here', async () => {
    const soon: Plan = { editApproval: (request) => ({ ...request, expiresAt: now + 500 }) }
    expect(await said(await routed({ risk: 'medium', approvers: ['bob'], ...soon }))).toBe('ALLOW')
  })

  test('a passkey that is not registered', async () => {
    const passkeys = fixture.domain.passkeys
    const forger: Fixture = {
      ...fixture,
      domain: { ...fixture.domain, passkeys: new Map([...passkeys, ['bob', stranger.domain.passkeys.get('bob') as never]]) },
    }
    expect(await said(await routed({ risk: 'medium', approvers: ['bob'], maker: forger }))).toBe(
      'DENY approval-unknown-credential',
    )
  })

  test('a human who was revoked or lost the role meanwhile', async () => {
    revoke('human', 'bob')
    expect(await said(await routed({ risk: 'medium', approvers: ['bob'] }))).toBe('DENY approval-human-unknown')
    const carol = tables['control.agents'].get('human:carol')
    if (carol?.kind !== 'human') throw new Error('no carol')
    tables['control.agents'].set('human:carol', { ...carol, roles: ['operator'] })
    expect(await said(await routed({ risk: 'medium', approvers: ['carol'] }))).toBe('DENY approval-human-unknown')
    tables['control.agents'].set('human:carol', { ...carol, state: 'retired' })
    expect(await said(await routed({ risk: 'medium', approvers: ['carol'] }))).toBe('DENY approval-human-unknown')
  })

  test('a human whom the rule does not ask', async () => {
    const rules = policy().rules.map((rule) => ({ ...rule, approvers: ['carol'] }))
    tables['control.policies'].set('approval', { ...policy(), rules })
    expect(await said(await routed({ risk: 'medium', approvers: ['bob'] }))).toBe('DENY approval-not-asked')
  })

  test('without a policy or a rule nothing passes', async () => {
    expect(await said(await routed({ risk: 'unheard-of' }))).toBe('DENY rule-missing')
    tables['control.policies'].clear()
    expect(await said(await routed())).toBe('DENY policy-missing')
  })
})
