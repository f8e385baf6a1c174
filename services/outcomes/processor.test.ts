import {
  type Decision,
  type DecisionStatement,
  type EventId,
  type JobId,
  type Outcome,
  partitionOf,
  type Receipt,
  type ReceiptStatement,
  readTopology,
  type StageName,
  stageNames,
} from '@interlock/contracts'
import type { Write } from '@interlock/enforcer'
import { TestPartition } from '@interlock/enforcer/test-partition'
import { buildIntent, buildOrder, createFixture, decisionOf, type Fixture, type OrderPlan } from '@interlock/sdk/fixture'
import { canonicalBytes, digest, signStatements, VerifiedRoots } from '@interlock/trust'
import { beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { EndedIntents } from './ended-intents.ts'
import { outcomes } from './processor.ts'

const now = Date.UTC(2026, 10, 24, 12)
const partition = partitionOf('job-1', 6)
let fixture: Fixture
let stranger: Fixture
let here: TestPartition<EndedIntents>
let serial = 0
let counted: string[]

beforeAll(async () => {
  fixture = await createFixture(now)
  stranger = await createFixture(now)
})
beforeEach(() => {
  counted = []
  here = start(partition)
})

function start(at: number): TestPartition<EndedIntents> {
  const parts = {
    trust: fixture.trust.anchors,
    roots: new VerifiedRoots(),
    topology: readTopology(),
    count: (status: string) => counted.push(status),
  }
  return new TestPartition(outcomes(parts), { codec: fixture.codec, tables: {} as never, partition: at, now })
}

const topicOf = (stage: StageName) => `decisions.${stage}`
const meet = (decision: Decision, stage: StageName = decision.stage, where = here) =>
  where.meet(topicOf(stage), decision.jobId, decision)
const intentIn = (decision: Decision) => {
  const intent = fixture.codec.decode('intents', decision.intent, 'Intent')
  if (!intent.ok) throw new Error(intent.reason)
  return intent.value
}

type Plan = OrderPlan & { readonly maker?: Fixture; readonly at?: number }

/** A stage's decision on an intent that every stage before allowed. */
async function decided(stage: StageName, change: Partial<DecisionStatement> = {}, plan: Plan = {}): Promise<Decision> {
  const { maker = fixture, at = partition, ...rest } = plan
  const place = `:${at}:${serial++}`
  const order = await buildOrder(maker, {
    ...rest,
    editStatement: (statement) => {
      const placed = { ...statement, eventId: statement.eventId.replace(':0:7', place) }
      return placed.stage === stage ? { ...placed, ...change } : placed
    },
  })
  return decisionOf(maker, order, stage)
}
const denied = (stage: StageName, reason: string, plan: Plan = {}) =>
  decided(stage, { verdict: 'DENY', reasons: [reason], obligations: {} }, plan)

/** A receipt as device-dispatch signs it. */
async function receiptOf(
  decision: Decision,
  change: Partial<ReceiptStatement> = {},
  signer = 'device-dispatch',
): Promise<Receipt> {
  const statement: ReceiptStatement = {
    stage: 'device-dispatch',
    eventId: `device-dispatch:acks:3:${serial++}`,
    intentId: decision.intentId,
    jobId: decision.jobId,
    orderDigest: digest(Buffer.from('order')),
    result: 'verified',
    status: 'completed',
    reasons: [],
    ack: digest(Buffer.from('ack')),
    decidedAt: now + 5000,
    ...change,
  }
  const [signed] = await signStatements([canonicalBytes(statement)], fixture.key(signer))
  return {
    eventId: statement.eventId as EventId,
    intentId: decision.intentId,
    jobId: decision.jobId,
    device: decision.device,
    result: statement.result,
    status: statement.status,
    reasons: statement.reasons,
    detail: '{}',
    orderDigest: statement.orderDigest,
    measured: '{"energyJoules":1200}',
    owner: 'alice',
    tpmClockMs: 0,
    tpmResetCount: 0,
    tpmRestartCount: 0,
    tpmSafe: true,
    tpmFirmware: '',
    pcrDigest: '',
    decidedAt: statement.decidedAt,
    ack: null,
    statement: signed as Receipt['statement'],
  }
}
const receive = (receipt: Receipt, where = here) => where.meet('receipts', receipt.jobId, receipt)

const only = (writes: readonly Write[]): Outcome => {
  expect(writes.map(({ topic, key }) => [topic, key])).toEqual([['outcomes', 'job-1']])
  return writes[0]?.record as Outcome
}
const said = (writes: readonly Write[]) => {
  const { status, stage, reasons } = only(writes)
  return [status, 'by', stage, ...reasons].join(' ')
}

describe('a stage’s no ends an intent', () => {
  test.each(stageNames)('denied by %s', async (stage) => {
    const decision = await denied(stage, 'some-reason')
    const outcome = only(await meet(decision))
    expect(outcome).toMatchObject({
      eventId: `outcomes:${topicOf(stage)}:${partition}:0`,
      intentId: decision.intentId,
      jobId: 'job-1',
      device: 'laser-1',
      status: 'denied',
      stage,
      reasons: ['some-reason'],
      decidedAt: decision.decidedAt,
    })
  })

  test.each<[string, string, StageName]>([
    ['expired', 'approval-expired', 'approval-router'],
    ['expired', 'chain-expired', 'semantic-bounds'],
    ['expired', 'decisions-too-old', 'device-dispatch'],
    ['cancelled', 'stopped', 'device-dispatch'],
    ['cancelled', 'decided-before-lift', 'device-dispatch'],
  ])('%s for %s', async (status, reason, stage) => {
    expect(only(await meet(await denied(stage, reason)))).toMatchObject({ status, stage })
  })

  test('what is allowed or asked goes on', async () => {
    for (const stage of stageNames) expect(await meet(await decided(stage))).toEqual([])
    expect(await meet(await decided('approval-router', { verdict: 'ESCALATE', reasons: ['answer-late'] }))).toEqual([])
  })
})

describe('the device’s last word ends an intent', () => {
  test.each<[string, Partial<ReceiptStatement>]>([
    ['completed by device', {}],
    ['failed by device tool-broke', { status: 'failed', reasons: ['tool-broke'] }],
    ['failed by device stopped', { status: 'failed', reasons: ['stopped'] }],
    ['refused by device deadline-passed', { status: 'refused', reasons: ['deadline-passed'] }],
    ['cancelled by device stopped', { status: 'refused', reasons: ['stopped'] }],
    [
      'timed-out by device-dispatch not-answered-in-time',
      { result: 'timed-out', status: '', reasons: ['not-answered-in-time'], ack: '' },
    ],
  ])('%s', async (expected, change) => {
    expect(said(await receive(await receiptOf(await decided('device-dispatch'), change)))).toBe(expected)
  })

  test('tells who answers for the agent that asked, as identity-verify signed, also after a restart', async () => {
    const dispatched = await decided('device-dispatch')
    await meet(await decided('identity-verify', {}, { intent: intentIn(dispatched) }))
    await here.restart()
    expect(only(await receive(await receiptOf(dispatched))).owner).toBe('alice')
  })

  test('tells what the device measured', async () => {
    const outcome = only(await receive(await receiptOf(await decided('device-dispatch'))))
    expect(outcome).toMatchObject({ detail: '{"energyJoules":1200}', decidedAt: now + 5000 })
  })

  test.each<Partial<ReceiptStatement>>([
    { status: 'accepted' },
    { result: 'rejected', reasons: ['quote-signature-invalid'] },
    { result: 'rejected', status: 'failed', reasons: ['ack-equivocates'] },
  ])('not %o', async (change) => {
    expect(await receive(await receiptOf(await decided('device-dispatch'), change))).toEqual([])
  })
})

describe('exactly one', () => {
  test('what comes after the end changes nothing, also after a restart', async () => {
    const decision = await decided('device-dispatch')
    await meet(decision)
    expect(said(await receive(await receiptOf(decision)))).toBe('completed by device')
    expect(counted).toEqual(['completed'])
    const timedOut = { result: 'timed-out', status: '' } as const
    expect(await receive(await receiptOf(decision, timedOut))).toEqual([])
    expect(await meet(await denied('semantic-bounds', 'outside-grant', { intent: intentIn(decision) }))).toEqual([])
    await here.restart()
    expect(await receive(await receiptOf(decision, timedOut))).toEqual([])
  })

  test('the same record twice is one', async () => {
    const decision = await denied('semantic-bounds', 'outside-grant')
    only(await meet(decision))
    expect(await meet(decision)).toEqual([])
  })

  test('attack 113: neither a replay nor a conflict ends the intent that it imitates', async () => {
    const first = await decided('identity-verify')
    await meet(first)
    const intent = intentIn(first)
    for (const reason of ['replayed', 'conflicting-intent', 'wrong-key', 'wrong-partition'])
      expect(await meet(await denied('identity-verify', reason, { intent }))).toEqual([])
    expect(await meet(await denied('device-dispatch', 'replayed', { intent }))).toEqual([])
    expect(await meet(await denied('device-dispatch', 'refused-before', { intent }))).toEqual([])
    expect(said(await receive(await receiptOf(first)))).toBe('completed by device')
  })

  test('an intent on its way is not ended by what is submitted under its name when its proof has lapsed', async () => {
    const first = await decided('identity-verify')
    await meet(first)
    expect(await meet(await denied('identity-verify', 'proof-expired', { intent: intentIn(first) }))).toEqual([])
    await here.restart()
    expect(await meet(await denied('identity-verify', 'proof-expired', { intent: intentIn(first) }))).toEqual([])
    expect(said(await receive(await receiptOf(first)))).toBe('completed by device')
  })

  test('topics are read in any order: an outcome does not wait for what came before it', async () => {
    const decision = await decided('device-dispatch')
    expect(said(await receive(await receiptOf(decision)))).toBe('completed by device')
    for (const stage of stageNames) expect(await meet(await decided(stage, {}, { intent: intentIn(decision) }))).toEqual([])
  })
})

describe('only what is signed, by whom it names and where it belongs, ends an intent', () => {
  test('attack 104: not a decision by a stranger’s key', async () => {
    expect(await meet(await denied('semantic-bounds', 'outside-grant', { maker: stranger }))).toEqual([])
  })

  test('attack 93: not a decision that another stage signed', async () => {
    const signWith = (stage: StageName) => (stage === 'semantic-bounds' ? 'delegation-check' : stage)
    expect(await meet(await denied('semantic-bounds', 'outside-grant', { signWith }))).toEqual([])
  })

  test('not a stage’s decision in another stage’s topic', async () => {
    expect(await meet(await denied('semantic-bounds', 'outside-grant'), 'approval-router')).toEqual([])
  })

  test('attack 103: not a refusal of a forged input, whatever intent it names', async () => {
    const genuine = await decided('identity-verify')
    await meet(genuine)
    const intent = intentIn(genuine)
    const refusal = await denied('delegation-check', 'chain-unknown-key', { intent })
    const [, own] = refusal.statements
    const [forged] = (await decided('identity-verify', {}, { intent, maker: stranger })).statements
    expect(await meet({ ...refusal, statements: [forged as never, own as never] })).toEqual([])
    expect(
      await meet({ ...(await denied('delegation-check', 'chain-missing-statement', { intent })), statements: [own as never] }),
    ).toEqual([])
    expect(said(await receive(await receiptOf(genuine)))).toBe('completed by device')
  })

  test('attack 111: not in another partition than the job’s, nor under another key', async () => {
    const away = (partition + 1) % 6
    const elsewhere = start(away)
    const copy = await denied('semantic-bounds', 'outside-grant')
    expect(await meet(copy, 'semantic-bounds', elsewhere)).toEqual([])
    const misplaced = await denied('identity-verify', 'command-not-canonical', { at: away })
    expect(await meet(misplaced, 'identity-verify', elsewhere)).toEqual([])
    expect(await here.meet('decisions.semantic-bounds', 'another-job', copy)).toEqual([])
    expect(await receive(await receiptOf(copy), elsewhere)).toEqual([])
  })

  test('not a receipt that another stage signed', async () => {
    expect(await receive(await receiptOf(await decided('device-dispatch'), {}, 'approval-router'))).toEqual([])
  })

  test('not a receipt whose job or columns were changed', async () => {
    const genuine = await decided('device-dispatch')
    const elsewhere = [...Array(50).keys()].map((n) => `job-${n}`).find((job) => partitionOf(job, 6) !== partition) as JobId
    const receipt = await receiptOf(genuine)
    expect(await start(partitionOf(elsewhere, 6)).meet('receipts', elsewhere, { ...receipt, jobId: elsewhere })).toEqual([])
    const other = await receiptOf(genuine, { result: 'rejected' })
    expect(await receive({ ...other, result: 'verified' })).toEqual([])
    const victim = await buildIntent(fixture)
    expect(await receive({ ...receipt, intentId: victim.intentId })).toEqual([])
  })

  test('not an outcome that somebody else wrote, nor a decision whose columns were changed', async () => {
    const decision = await denied('semantic-bounds', 'outside-grant')
    const forged: Outcome = {
      eventId: `outcomes:decisions.semantic-bounds:${(partition + 1) % 6}:0` as EventId,
      intentId: decision.intentId,
      jobId: decision.jobId,
      device: decision.device,
      owner: '',
      status: 'completed',
      stage: 'device',
      reasons: [],
      detail: '{}',
      decidedAt: now,
    }
    await here.meet('outcomes', 'job-1', forged)
    const allowed = await decided('semantic-bounds', {}, { intent: intentIn(decision) })
    expect(await meet({ ...allowed, verdict: 'DENY', reasons: ['outside-grant'] })).toEqual([])
    expect(said(await meet(decision))).toBe('denied by semantic-bounds outside-grant')
  })
})

test('forgets what nothing can still come of, and nothing younger', async () => {
  const decision = await denied('semantic-bounds', 'outside-grant')
  const { eventId } = only(await meet(decision))
  here.now = now + 3_600_000
  await here.tick()
  expect(here.memory.isEndedBy(decision.intentId, eventId)).toBe(true)
  here.now = now + 3 * 3_600_000
  await here.tick()
  expect(here.memory.isEndedBy(decision.intentId, eventId)).toBe(false)
})
