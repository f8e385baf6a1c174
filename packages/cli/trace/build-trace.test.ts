import type { Decision, Intent, IssuedToken, Order, SignedStatement } from '@interlock/contracts'
import { stageNames } from '@interlock/contracts'
import { buildIntent, buildOrder, buildStandingJob, createFixture, decisionOf, type Fixture } from '@interlock/sdk/fixture'
import { signControlEntry } from '@interlock/trust'
import { beforeAll, describe, expect, it } from 'vitest'
import { buildTrace } from './build-trace.ts'
import type { Evidence, Kept } from './evidence.ts'
import { countChecks, renderTrace } from './render-trace.ts'

const now = Date.UTC(2026, 10, 24, 12)
const flipped = (bytes: Buffer, place = 5) => Buffer.from(bytes.map((byte, at) => (at === place ? byte ^ 1 : byte)))

describe('the trace of an intent', () => {
  let fixture: Fixture
  let order: Order
  let evidence: Evidence
  beforeAll(async () => {
    fixture = await createFixture(now)
    order = await buildOrder(fixture)
    evidence = evidenceOf(order)
  })

  const kept = <Value>(record: Value, bytes: Buffer = Buffer.alloc(0)): Kept<Value> => ({ record, bytes, at: 'a-topic:0:0' })
  function intentOf(bytes: Buffer): Intent {
    const read = fixture.codec.decode('intents', bytes, 'Intent')
    if (!read.ok) throw new Error(read.reason)
    return read.value
  }
  /** What the token service records of a token; the trace looks at the signing input alone. */
  const issuedOf = (token: string) => ({ signingInput: token.slice(0, token.lastIndexOf('.')) }) as IssuedToken
  const evidenceOf = (given: Order): Evidence => ({
    intents: [kept(intentOf(given.intent), given.intent)],
    decisions: stageNames.map((stage) => kept(decisionOf(fixture, given, stage))),
    approvals: [],
    orders: [kept(given)],
    acks: [],
    receipts: [],
    outcomes: [],
    issuedTokens: intentOf(given.intent).tokens.map((token) => kept(issuedOf(token))),
    appraisals: [],
    controlEntries: [],
    unreadable: [],
  })
  const traceOf = (given: Evidence) => buildTrace(order.intentId, given, { anchors: fixture.trust.anchors, codec: fixture.codec })
  const failuresOf = async (given: Evidence) =>
    renderTrace(await traceOf(given))
      .split('\n')
      .filter((line) => line.includes('✗'))

  /** The evidence with one stage's own statement changed in that stage's record. */
  const withStatement = (stage: string, change: (signed: SignedStatement) => SignedStatement): Evidence => ({
    ...evidence,
    decisions: evidence.decisions.map((one) =>
      one.record.stage === stage
        ? {
            ...one,
            record: {
              ...one.record,
              statements: one.record.statements.map((s, at, all) => (at === all.length - 1 ? change(s) : s)),
            },
          }
        : one,
    ),
  })

  it('does every check again, finds no fault in what is genuine but the outcome that is not there yet, and says what it cannot check', async () => {
    const counts = countChecks(await traceOf(evidence))
    expect(counts.holds).toBeGreaterThan(20)
    expect(counts.unchecked).toBeGreaterThan(3)
    expect(await failuresOf(evidence)).toEqual([expect.stringContaining('none is kept yet')])
  })

  it.each([
    ['for the job itself', async () => fixture, 'grants: for this job, until'],
    ['once, by a standing grant', () => buildStandingJob(fixture), 'grants: once, by standing grant'],
  ])('says whether the human signed %s', async (_what, jobOf, said) => {
    const alice = fixture.trust.humans.get('alice')
    const statement = { table: 'control.agents', id: 'human:alice', revision: 1, updatedAt: now, value: alice } as const
    const entry = await signControlEntry(statement, fixture.key('service-registry'))
    const given = evidenceOf(await buildOrder(await jobOf()))
    const trace = await traceOf({ ...given, controlEntries: [{ table: 'control.agents', entry }] })
    expect(renderTrace(trace)).toMatch(new RegExp(`✓ signed by the human’s passkey, for no less than the root token ${said}`))
  })

  describe.each(stageNames)('finds it where, of what %s said,', (stage) => {
    it.each([
      [
        'the statement',
        (s: SignedStatement) => ({ ...s, statement: Buffer.from(s.statement.toString().replace('ALLOW', 'ALLOV')) }),
      ],
      ['the signature', (s: SignedStatement) => ({ ...s, signature: flipped(s.signature) })],
      ['the path', (s: SignedStatement) => ({ ...s, path: s.path.map((node) => flipped(node)) })],
      ['the signer', (s: SignedStatement) => ({ ...s, keyId: fixture.key('operator-dev').keyId })],
    ] as const)('%s was changed', async (_what, change) => {
      expect((await failuresOf(withStatement(stage, change))).length).toBeGreaterThan(1)
    })

    it('nothing was kept', async () => {
      const decisions = evidence.decisions.filter(({ record }) => record.stage !== stage)
      expect((await failuresOf({ ...evidence, decisions })).length).toBeGreaterThan(1)
    })
  })

  it('finds another intent under the same name', async () => {
    const other = fixture.codec.encode('intents', { ...(await buildIntent(fixture)), intentId: order.intentId })
    expect((await failuresOf({ ...evidence, intents: [kept(intentOf(other), other)] })).length).toBeGreaterThan(1)
  })

  it('finds an order that device-dispatch never gave', async () => {
    const other = await buildOrder(fixture, { signWith: (stage) => (stage === 'device-dispatch' ? 'approval-router' : stage) })
    expect((await failuresOf({ ...evidence, orders: [kept(other)] })).length).toBeGreaterThan(1)
  })

  it('says which rows can no longer be read', async () => {
    const unreadable = [{ at: 'acks:0:7', reason: 'avro-truncated' }]
    expect((await failuresOf({ ...evidence, unreadable })).join('\n')).toContain('acks:0:7')
  })

  it('shows nothing that moves the cursor, whoever wrote it', async () => {
    const decisions = evidence.decisions.map(
      (one): Kept<Decision> => ({ ...one, record: { ...one.record, detail: '\u001b[2J\u202e' } }),
    )
    const forged = { ...(intentOf(order.intent) as Intent), device: 'laser-1\u001b[2J' as Intent['device'] }
    const text = renderTrace(await traceOf({ ...evidence, decisions, intents: [kept(forged, order.intent)] }))
    expect(text).not.toContain('\u001b')
    expect(text).not.toContain('\u202e')
    expect(text).toContain('�')
  })
})
