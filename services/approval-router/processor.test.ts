import { answerRequest, pendingRequests } from '@interlock/cli'
import type { Approval, ApprovalRequest, Decision, DecisionStatement, RevocationEntry } from '@interlock/contracts'
import { partitionOf } from '@interlock/contracts'
import { statementOf, type Write } from '@interlock/enforcer'
import { TestPartition } from '@interlock/enforcer/test-partition'
import {
  buildIntent,
  buildOrder,
  createFixture,
  createTables,
  decisionOf,
  type Fixture,
  type FixtureTables,
  type OrderPlan,
} from '@interlock/sdk/fixture'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { digest, VerifiedRoots } from '@interlock/trust'
import { beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { OpenRequests } from './open-requests.ts'
import { approvalRouter } from './processor.ts'
import { type AssertionPlan, answerWith } from './test-assertion.ts'

const now = Date.UTC(2026, 10, 24, 12)
const partition = partitionOf('job-1', 6)
const input = 'decisions.semantic-bounds'
const output = 'decisions.approval-router'

let fixture: Fixture
let stranger: Fixture
let tables: FixtureTables
let router: TestPartition<OpenRequests>
let alarms: unknown[]
let serial = 0

beforeAll(async () => {
  fixture = await createFixture(now)
  stranger = await createFixture(now)
})
beforeEach(async () => {
  tables = await createTables(fixture, { attestationKey: 'AA', pcrs: [0], pcrDigest: digest(Buffer.alloc(0)) })
  alarms = []
  router = new TestPartition(approvalRouter(partsOf()), { codec: fixture.codec, tables, partition, now: now + 1000 })
})

/** What semantic-bounds allowed, at a risk. */
async function allowed(risk: string, plan: OrderPlan = {}): Promise<Decision> {
  const offset = serial++
  const order = await buildOrder(fixture, {
    ...plan,
    editStatement: (statement) => {
      const placed = { ...statement, eventId: statement.eventId.replace(':0:7', `:${partition}:${offset}`) }
      const judged = placed.stage === 'semantic-bounds' ? { ...placed, obligations: { ...placed.obligations, risk } } : placed
      return plan.editStatement?.(judged) ?? judged
    },
  })
  return decisionOf(fixture, order, 'semantic-bounds')
}

const only = (writes: readonly Write[]): Decision => {
  expect(writes).toHaveLength(1)
  expect(writes[0]?.topic).toBe(output)
  return writes[0]?.record as Decision
}
const route = async (decision: Decision) => only(await router.meet(input, decision.jobId, decision))
const answer = async (approval: Approval) => only(await router.meet('approvals', approval.jobId, approval))
const said = ({ verdict, reasons }: Decision) => [verdict, ...reasons].join(' ')
const statementIn = (decision: Decision) => statementOf(decision) as DecisionStatement

const passkeyOf = (human: string) => fixture.domain.passkeys.get(human) as SoftwarePasskey

/** The request as it was asked, answered by a human. */
function requestIn(escalation: Decision, human: string, change: Partial<ApprovalRequest> = {}): ApprovalRequest {
  const { request } = statementIn(escalation).obligations as { request: ApprovalRequest }
  return { ...request, answer: 'ALLOW', human, ...change }
}
const answered = (escalation: Decision, human: string, change: Partial<ApprovalRequest> = {}, plan: AssertionPlan = {}) =>
  answerWith(passkeyOf(human), requestIn(escalation, human, change), plan)

describe('what needs no human', () => {
  test('lets a low risk pass, and a policy without approvals says so', async () => {
    const decision = await route(await allowed('low'))
    expect(said(decision)).toBe('ALLOW')
    expect(statementIn(decision)).toMatchObject({ obligations: { approvals: [], required: 0 }, policy: 'approval-lab-1' })
    expect(decision.risk).toBe('low')
  })

  test('passes over what semantic-bounds denied', async () => {
    expect(await router.meet(input, 'job-1', { ...(await allowed('low')), verdict: 'DENY' })).toEqual([])
  })

  test('lapses with the first of the decisions before', async () => {
    const early = (statement: DecisionStatement) =>
      statement.stage === 'identity-verify' ? { ...statement, expiresAt: now + 20_000 } : statement
    expect((await route(await allowed('low', { editStatement: early }))).expiresAt).toBe(now + 20_000)
  })
})

describe('what nobody may let pass', () => {
  test('denies without a policy', async () => {
    tables['control.policies'].clear()
    expect(said(await route(await allowed('low')))).toBe('DENY policy-missing')
  })

  test('denies what no rule speaks of', async () => {
    expect(said(await route(await allowed('unheard-of')))).toBe('DENY rule-missing')
  })

  test('attack 103: denies what no earlier stage signed', async () => {
    const good = await allowed('low')
    expect(said(await route({ ...good, statements: [] as never }))).toBe('DENY chain-missing-statement')
  })

  test('attack 156: denies where too few approvers are left to ask', async () => {
    tables['control.agents'].delete('human:alice')
    tables['control.agents'].delete('human:carol')
    expect(said(await route(await allowed('high')))).toBe('DENY approvers-too-few')
    expect(said(await route(await allowed('medium')))).toBe('ESCALATE approval-needed')
    tables['control.agents'].delete('human:bob')
    expect(said(await route(await allowed('medium')))).toBe('DENY approvers-too-few')
  })

  test('denies where only the requester is left to ask', async () => {
    for (const sub of ['bob', 'carol']) tables['control.agents'].delete(`human:${sub}`)
    expect(said(await route(await allowed('medium')))).toBe('DENY approvers-too-few')
    expect(said(await route(await allowed('high')))).toBe('DENY approvers-too-few')
  })

  test('attack 89: denies a request beyond those that a job may have open, and asks again when one is answered', async () => {
    const policy = tables['control.policies'].get('approval')
    if (policy?.kind !== 'approval') throw new Error('no policy')
    tables['control.policies'].set('approval', { ...policy, openRequestsMax: 2 })
    const first = await route(await allowed('medium'))
    await route(await allowed('medium'))
    expect(said(await route(await allowed('medium')))).toBe('DENY too-many-open-requests')
    await answer(answered(first, 'bob'))
    expect(said(await route(await allowed('medium')))).toBe('ESCALATE approval-needed')
  })
})

describe('what is asked', () => {
  test('asks the approvers who may answer, with what was signed before, until the first of it lapses', async () => {
    const decision = await allowed('medium')
    const escalation = await route(decision)
    expect(said(escalation)).toBe('ESCALATE approval-needed')
    expect(statementIn(escalation)).toMatchObject({
      obligations: { approvers: ['alice', 'bob', 'carol'], required: 1, answered: [] },
      expiresAt: now + 60_000,
    })
    expect(requestIn(escalation, 'bob')).toMatchObject({
      intentId: decision.intentId,
      commandDigest: decision.commandDigest,
      previous: digest((decision.statements.at(-1) as Decision['statements'][number]).statement),
      policy: 'approval-lab-1',
      risk: 'medium',
      expiresAt: now + 60_000,
    })
  })

  test('attack 88: shows the signed values in plain characters, whatever the agent wrote', async () => {
    const note = '\u202e\u200b<b>W 06</b>\u0430`x`\n# safe'
    const intent = await buildIntent(fixture, { note })
    const { summary } = requestIn(await route(await allowed('medium', { intent })), 'bob')
    expect(summary).toMatch(/^[\x20-\x7e]*$/)
    expect(summary).not.toMatch(/[<>&`]/)
    expect(summary).toContain('laser-1 is to do laser.cut')
    expect(summary).toContain('power 60 W')
    expect(summary).toContain('speed 20 mm/s')
    expect(summary).toContain('\\u{202e}\\u{200b}\\u{3c}b')
  })

  test('shows what a quantity comes to in the unit of the machine', async () => {
    const convert = (statement: DecisionStatement) =>
      statement.stage === 'semantic-bounds'
        ? { ...statement, obligations: { risk: 'medium', quantities: { power: { value: '60', unit: 'W' } } } }
        : statement
    const intent = await buildIntent(fixture, { power: { value: '0.06', unit: 'kW' } })
    const { summary } = requestIn(await route(await allowed('medium', { intent, editStatement: convert })), 'bob')
    expect(summary).toContain('power 0.06 kW (60 W)')
  })

  test('attack 88: denies what is too long to be read, and leaves nothing out', async () => {
    const intent = await buildIntent(fixture, { note: 'x'.repeat(3000) })
    expect(said(await route(await allowed('medium', { intent })))).toBe('DENY summary-too-long')
  })

  test('asks once: the same intent again changes nothing of what was asked or answered', async () => {
    const decision = await allowed('high')
    const escalation = await route(decision)
    await answer(answered(escalation, 'bob'))
    const again = { ...(await allowed('high', { intent: intentIn(decision) })) }
    expect(said(await route(again))).toBe('ESCALATE asked-before')
    const last = await answer(answered(escalation, 'carol'))
    expect(said(last)).toBe('ALLOW')
    expect(last.approvals).toHaveLength(2)
    const third = { ...(await allowed('high', { intent: intentIn(decision) })) }
    expect(said(await route(third))).toBe('ESCALATE asked-before')
  })
})

const intentIn = (decision: Decision) => {
  const intent = fixture.codec.decode('intents', decision.intent, 'Intent')
  if (!intent.ok) throw new Error(intent.reason)
  return intent.value
}

describe('what humans answer', () => {
  test('lets pass what the command-line approver signed for what it read', async () => {
    const escalation = await route(await allowed('medium'))
    const pending = pendingRequests([escalation], fixture.trust.anchors, router.now)
    expect(pending).toHaveLength(1)
    const approval = answerRequest(pending[0] as (typeof pending)[number], 'ALLOW', passkeyOf('bob'))
    const decision = await answer(approval)
    expect(said(decision)).toBe('ALLOW')
    const bytes = fixture.codec.encode('approvals', approval)
    expect(decision.approvals).toEqual([bytes])
    expect(statementIn(decision)).toMatchObject({ obligations: { approvals: [digest(bytes)], required: 1 } })
    expect(statementIn(decision).expiresAt).toBe(now + 60_000)
  })

  test('waits for as many different humans as the rule wants, and restores what was counted', async () => {
    const escalation = await route(await allowed('high'))
    const one = await answer(answered(escalation, 'bob'))
    expect(said(one)).toBe('ESCALATE approval-needed')
    expect(pendingRequests([escalation, one], fixture.trust.anchors, router.now)).toHaveLength(1)
    await router.restart()
    const two = await answer(answered(escalation, 'carol'))
    expect(said(two)).toBe('ALLOW')
    expect(two.approvals).toHaveLength(2)
    expect(pendingRequests([escalation, one, two], fixture.trust.anchors, router.now)).toHaveLength(0)
  })

  test('does not let the requester approve alone', async () => {
    const escalation = await route(await allowed('medium'))
    expect(said(await answer(answered(escalation, 'alice')))).toBe('ESCALATE approval-requester-alone')
    expect(said(await answer(answered(escalation, 'bob')))).toBe('ALLOW')
  })

  test('attack 87: one no ends it, whoever else said yes before or says so after', async () => {
    const escalation = await route(await allowed('high'))
    await answer(answered(escalation, 'bob'))
    expect(said(await answer(answered(escalation, 'carol', { answer: 'DENY' })))).toBe('DENY approval-refused')
    expect(said(await answer(answered(escalation, 'alice')))).toBe('ESCALATE answer-late')
    await router.restart()
    expect(said(await answer(answered(escalation, 'alice')))).toBe('ESCALATE answer-late')
  })

  test('silence is a no, told once', async () => {
    const escalation = await route(await allowed('medium'))
    router.now = now + 59_999
    expect(await router.tick()).toEqual([])
    router.now = now + 60_000
    const expired = only(await router.tick())
    expect(said(expired)).toBe('DENY approval-expired')
    expect(expired.eventId).toBe(`approval-router:${output}:${partition}:0`)
    expect(expired).toMatchObject({ intentId: escalation.intentId, agent: escalation.agent, human: 'alice', risk: '' })
    expect(await router.tick()).toEqual([])
    await router.restart()
    expect(await router.tick()).toEqual([])
  })

  test('a request outlives a restart, and expires by the place of its first ESCALATE', async () => {
    const escalation = await route(await allowed('high'))
    await answer(answered(escalation, 'bob'))
    await router.restart()
    router.now = now + 60_000
    expect(only(await router.tick()).eventId).toBe(`approval-router:${output}:${partition}:0`)
  })
})

describe('attack 86: an answer out of its time ends nothing', () => {
  test('before there is a request', async () => {
    const decision = await allowed('medium')
    const request = { ...requestOf(decision), nonce: digest(Buffer.from('guessed')) }
    expect(said(await answer(answerWith(passkeyOf('bob'), request)))).toBe('ESCALATE answer-unexpected')
    expect(said(await route(decision))).toBe('ESCALATE approval-needed')
  })

  test('after it was allowed', async () => {
    const escalation = await route(await allowed('medium'))
    await answer(answered(escalation, 'bob'))
    expect(said(await answer(answered(escalation, 'carol', { answer: 'DENY' })))).toBe('ESCALATE answer-late')
  })

  test('after it expired', async () => {
    const escalation = await route(await allowed('medium'))
    router.now = now + 60_000
    await router.tick()
    expect(said(await answer(answered(escalation, 'bob')))).toBe('ESCALATE answer-late')
  })

  test('after its time, before anybody noticed', async () => {
    const soon = tables['control.policies'].get('approval')
    if (soon?.kind !== 'approval') throw new Error('no policy')
    tables['control.policies'].set('approval', { ...soon, rules: soon.rules.map((rule) => ({ ...rule, expiresMs: 5000 })) })
    const escalation = await route(await allowed('medium'))
    router.now += 5000
    expect(said(await answer(answered(escalation, 'bob')))).toBe('ESCALATE answer-expired')
  })

  test('after the approver was revoked or suspended', async () => {
    const escalation = await route(await allowed('medium'))
    revoke('human', 'bob')
    expect(said(await answer(answered(escalation, 'bob')))).toBe('ESCALATE answer-not-an-approver')
    const carol = tables['control.agents'].get('human:carol')
    if (carol?.kind !== 'human') throw new Error('no carol')
    for (const change of [{ state: 'suspended' }, { roles: ['operator'] }] as const) {
      tables['control.agents'].set('human:carol', { ...carol, ...change } as typeof carol)
      expect(said(await answer(answered(escalation, 'carol')))).toBe('ESCALATE answer-not-an-approver')
    }
  })

  test('and a yes that was counted ends it where its human was revoked before the last yes', async () => {
    const escalation = await route(await allowed('high'))
    await answer(answered(escalation, 'bob'))
    revoke('human', 'bob')
    expect(said(await answer(answered(escalation, 'carol')))).toBe('DENY approver-gone')
  })

  test('where the policy changed meanwhile', async () => {
    const escalation = await route(await allowed('medium'))
    const policy = tables['control.policies'].get('approval')
    if (policy?.kind !== 'approval') throw new Error('no policy')
    tables['control.policies'].set('approval', { ...policy, revision: 'approval-lab-2' })
    expect(said(await answer(answered(escalation, 'bob')))).toBe('DENY policy-changed')
  })

  test('attack 158: where the key of an earlier stage was revoked meanwhile', async () => {
    const escalation = await route(await allowed('medium'))
    revoke('enforcer-key', fixture.key('semantic-bounds').keyId)
    expect(said(await answer(answered(escalation, 'bob')))).toBe('DENY chain-revoked-key')
  })
})

function revoke(kind: RevocationEntry['kind'], subject: string): void {
  tables['control.revocations'].set(`${kind}:${subject}`, { kind, subject, from: now, reason: 'test' })
}
const requestOf = (decision: Decision): ApprovalRequest => ({
  intentId: decision.intentId,
  jobId: decision.jobId,
  commandDigest: decision.commandDigest,
  previous: digest(Buffer.alloc(0)),
  answer: 'ALLOW',
  human: 'bob',
  summary: '',
  policy: 'approval-lab-1',
  risk: 'medium',
  expiresAt: now + 60_000,
  nonce: digest(Buffer.alloc(0)),
})

describe('an answer counts only as the human’s own assertion over this request', () => {
  const cases: [string, string, (escalation: Decision) => Approval][] = [
    [
      'attack 79: signed for another intent',
      'answer-mismatch',
      (asked) => ({ ...answered(asked, 'bob', { intentId: 'another' }), intentId: asked.intentId }),
    ],
    [
      'attack 79: signed for another command',
      'answer-other-request',
      (asked) => answered(asked, 'bob', { commandDigest: zeros }),
    ],
    ['attack 79: signed for other decisions', 'answer-other-request', (asked) => answered(asked, 'bob', { previous: zeros })],
    ['signed for another asking', 'answer-other-request', (asked) => answered(asked, 'bob', { nonce: zeros })],
    ['attack 88: signed under other words', 'answer-other-request', (asked) => answered(asked, 'bob', { summary: 'harmless' })],
    ['signed for a lower risk', 'answer-other-request', (asked) => answered(asked, 'bob', { risk: 'low' })],
    ['signed under another policy', 'answer-other-request', (asked) => answered(asked, 'bob', { policy: 'old' })],
    ['signed for longer', 'answer-other-request', (asked) => answered(asked, 'bob', { expiresAt: now + 600_000 })],
    [
      'a no that says yes outside',
      'answer-mismatch',
      (asked) => ({ ...answered(asked, 'bob', { answer: 'DENY' }), answer: 'ALLOW' }),
    ],
    [
      'a request that is not canonical',
      'answer-malformed',
      (asked) => ({ ...answered(asked, 'bob'), request: Buffer.from('{ }') }),
    ],
    [
      'attack 81: another origin',
      'answer-assertion',
      (asked) => answered(asked, 'bob', {}, { clientData: { origin: 'https://evil.example' } }),
    ],
    ['attack 81: another rpId', 'answer-assertion', (asked) => answered(asked, 'bob', {}, { rpId: 'evil.example' })],
    [
      'attack 81: from another page',
      'answer-assertion',
      (asked) => answered(asked, 'bob', {}, { clientData: { crossOrigin: true } }),
    ],
    [
      'attack 81: under another top page',
      'answer-assertion',
      (asked) => answered(asked, 'bob', {}, { clientData: { topOrigin: 'https://evil.example' } }),
    ],
    [
      'attack 81: a registration',
      'answer-assertion',
      (asked) => answered(asked, 'bob', {}, { clientData: { type: 'webauthn.create' } }),
    ],
    ['attack 82: nobody was there', 'answer-assertion', (asked) => answered(asked, 'bob', {}, { flags: 0x04 })],
    ['attack 82: nobody was verified', 'answer-assertion', (asked) => answered(asked, 'bob', {}, { flags: 0x01 })],
    [
      'attack 82: it has become a copied passkey',
      'answer-backup-changed',
      (asked) => answered(asked, 'bob', {}, { flags: 0x0d }),
    ],
    [
      'attack 84: carol’s passkey in bob’s name',
      'answer-unknown-credential',
      (asked) => answerWith(passkeyOf('carol'), requestIn(asked, 'bob')),
    ],
    [
      'attack 84: carol’s key under bob’s credential',
      'answer-assertion',
      (asked) => answerWith(passkeyOf('carol'), requestIn(asked, 'bob'), { credentialId: passkeyOf('bob').credentialId }),
    ],
    ['a human whom nobody asked', 'answer-not-an-approver', (asked) => answerWith(passkeyOf('bob'), requestIn(asked, 'mallory'))],
    [
      'a passkey of another trust domain',
      'answer-unknown-credential',
      (asked) => answerWith(stranger.domain.passkeys.get('bob') as SoftwarePasskey, requestIn(asked, 'bob')),
    ],
  ]
  test.each(cases)('%s: %s', async (_, reason, make) => {
    const escalation = await route(await allowed('medium'))
    const decision = await answer(make(escalation))
    expect(said(decision)).toBe(`ESCALATE ${reason}`)
    // It ended nothing and hides nothing: the question is still before the humans, and a good answer still counts.
    expect(pendingRequests([escalation, decision], fixture.trust.anchors, router.now)).toHaveLength(1)
    expect(said(await answer(answered(escalation, 'bob')))).toBe('ALLOW')
  })

  test('an approver whom the rule does not ask', async () => {
    const policy = tables['control.policies'].get('approval')
    if (policy?.kind !== 'approval') throw new Error('no policy')
    const rules = policy.rules.map((rule) => ({ ...rule, approvers: ['carol'] }))
    tables['control.policies'].set('approval', { ...policy, rules })
    const escalation = await route(await allowed('medium'))
    expect(said(await answer(answered(escalation, 'bob')))).toBe('ESCALATE answer-not-an-approver')
    expect(said(await answer(answered(escalation, 'carol')))).toBe('ALLOW')
  })

  test('waits where its question is not known yet, and only there', async () => {
    const processor = approvalRouter(partsOf())
    const escalation = await route(await allowed('medium'))
    const lacks = (record: object) => processor.lacks?.(router.memory, { record } as never)
    expect(lacks(answered(escalation, 'bob', { intentId: 'another' }))).toBe(true)
    expect(lacks(answered(escalation, 'bob'))).toBe(false)
    expect(lacks(await allowed('medium'))).toBe(false)
    await answer(answered(escalation, 'bob'))
    expect(lacks(answered(escalation, 'carol'))).toBe(false)
  })

  test('a second answer of the same human', async () => {
    const escalation = await route(await allowed('high'))
    const first = answered(escalation, 'bob')
    await answer(first)
    expect(said(await answer(first))).toBe('ESCALATE answer-repeated')
    expect(said(await answer(answered(escalation, 'bob', { answer: 'DENY' })))).toBe('ESCALATE answer-repeated')
    expect(said(await answer(answered(escalation, 'carol')))).toBe('ALLOW')
  })
})

const zeros = Buffer.alloc(32).toString('base64url')

test('a question that is read after its end opens nothing', async () => {
  const escalation = await route(await allowed('medium'))
  const end = await answer(answered(escalation, 'bob'))
  const memory = new OpenRequests()
  for (const decision of [end, escalation]) memory.add(decision, { topic: output, partition, offset: 0 })
  expect(memory.get(escalation.intentId)).toBeUndefined()
})

describe('who can write to the topics', () => {
  test('cannot end a request by a refusal of a forged input', async () => {
    const escalation = await route(await allowed('medium'))
    const forged = await allowed('medium', { intent: intentIn(escalation) })
    const refusal = await route({ ...forged, statements: forged.statements.slice(0, 2) })
    expect(said(refusal)).toBe('DENY chain-missing-statement')
    expect(said(await answer(answered(escalation, 'bob')))).toBe('ALLOW')
  })

  test('cannot open, end or expire a request by copies of genuine decisions', async () => {
    const decision = await allowed('medium')
    // A decision of another stage, copied here, says nothing here.
    await router.meet(output, decision.jobId, { ...decision, verdict: 'DENY' })
    const escalation = await route(decision)
    expect(said(escalation)).toBe('ESCALATE approval-needed')
    const elsewhere = new TestPartition(approvalRouter(partsOf()), {
      codec: fixture.codec,
      tables,
      partition: (partition + 1) % 6,
      now: now + 60_000,
    })
    await elsewhere.meet(output, escalation.jobId, escalation)
    expect(await elsewhere.tick()).toEqual([])
  })

  test('cannot make an answer that nobody can read back', async () => {
    const escalation = await route(await allowed('medium'))
    const long = {
      ...answered(escalation, 'bob'),
      intentId: 'x'.repeat(5000) as Approval['intentId'],
      jobId: 'y'.repeat(5000) as Approval['jobId'],
    }
    const decision = only(await router.meet('approvals', 'job-1', long))
    expect(said(decision)).toBe('ESCALATE answer-unexpected')
    expect(statementIn(decision).intentId).toHaveLength(64)
  })

  test('an exception in judging an answer counts for nothing and raises an alarm', async () => {
    const escalation = await route(await allowed('medium'))
    vi.spyOn(tables['control.policies'], 'get').mockImplementation(() => {
      throw new Error('broken')
    })
    expect(said(await answer(answered(escalation, 'bob')))).toBe('ESCALATE internal-error')
    expect(alarms).toHaveLength(1)
    vi.restoreAllMocks()
    expect(said(await answer(answered(escalation, 'carol')))).toBe('ALLOW')
  })
})

const partsOf = () => ({
  codec: fixture.codec,
  trust: fixture.trust.anchors,
  roots: new VerifiedRoots(),
  key: fixture.key('approval-router'),
  alarm: (error: unknown) => alarms.push(error),
})
