import { quantityOf } from '@interlock/bounds'
import { type Decision, type DecisionStatement, type DeviceEntry, partitionOf, type Receipt } from '@interlock/contracts'
import { type DelegationObligations, statementOf } from '@interlock/enforcer'
import type { TestPartition } from '@interlock/enforcer/test-partition'
import { buildIntent, buildOrder, createFixture, decisionOf, type Fixture, type FixtureTables } from '@interlock/sdk/fixture'
import { digest } from '@interlock/trust'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { horizonMs } from './job-memory.ts'
import type { BoundsMemory } from './memory.ts'
import { answered, no, receiptOf } from './test-answers.ts'
import { startTestStage } from './test-stage.ts'

const now = Date.UTC(2026, 10, 24, 12)
const partition = partitionOf('job-1', 6)
let fixture: Fixture
let stranger: Fixture
let tables: FixtureTables
let here: TestPartition<BoundsMemory>
let serial = 0

beforeAll(async () => {
  fixture = await createFixture(now)
  stranger = await createFixture(now)
})
beforeEach(async () => {
  ;({ tables, here } = await startTestStage(fixture, { partition, now: now + 10 }))
})

type Budgets = DelegationObligations['budgets']
const holder = (name: string, energy: string, maxCount = 100): Budgets[number] => ({
  holder: name,
  of: name,
  maxCount,
  limits: { energy: { max: energy, unit: 'J' } },
})
const job = holder('alice', '9000')
const one = [job, holder('one', '9000')]
const two = [job, holder('two', '9000')]

/** A cut of what reserves 75 s of its power: 4500 J at 60 W. */
async function cut({ budgets = one as Budgets, since = now, power = '60' } = {}): Promise<Decision> {
  const order = await buildOrder(fixture, {
    intent: await buildIntent(fixture, { power: { value: power, unit: 'W' } }),
    editStatement: (statement) => {
      const placed = { ...statement, eventId: statement.eventId.replace(':0:7', `:${partition}:${serial++}`) }
      const limits = { power: { max: '80', unit: 'W' } }
      const obligations = { ...placed.obligations, grant: { limits }, budgets, since }
      return placed.stage === 'delegation-check' ? ({ ...placed, obligations } as DecisionStatement) : placed
    },
  })
  const writes = await here.meet('decisions.delegation-check', 'job-1', decisionOf(fixture, order, 'delegation-check'))
  return writes[0]?.record as Decision
}
const reasonOf = ({ verdict, reasons }: Decision) => (verdict === 'ALLOW' ? verdict : reasons.join())
/** What the job has spent, in joules. */
function spent(): string {
  const limits = { energy: { dimension: 'energy', scaled: 0n } }
  const { alice } = here.memory.jobs.budgets.spentWith([{ holder: 'alice', limits }], {})
  return quantityOf(alice?.energy ?? limits.energy).value
}
const hear = (receipt: Receipt) => here.meet('receipts', 'job-1', receipt)
const decided = (decision: Decision) => here.meet(`decisions.${decision.stage}`, 'job-1', decision)

describe('a budget', () => {
  it('is spent over the whole tree, and a refusal says whose it is and what is left of it', async () => {
    expect(reasonOf(await cut({ budgets: one }))).toBe('ALLOW')
    expect(reasonOf(await cut({ budgets: two, power: '50' }))).toBe('ALLOW')
    const refused = await cut({ budgets: two })
    expect(refused).toMatchObject({ verdict: 'DENY', reasons: ['budget-exhausted'] })
    expect(JSON.parse(refused.detail)).toEqual({
      parameter: 'energy',
      asked: { value: '4500', unit: 'J' },
      nearest: { value: '750', unit: 'J' },
      granted: { value: '9000', unit: 'J' },
      limitOf: 'budget',
      of: 'alice',
    })
    expect(reasonOf(await cut({ budgets: two, power: '10' }))).toBe('ALLOW')
  })

  it('of commands is one too', async () => {
    const budgets = [holder('few', '900000', 1)]
    expect(reasonOf(await cut({ budgets }))).toBe('ALLOW')
    const refused = await cut({ budgets })
    expect(refused.reasons).toEqual(['budget-exhausted'])
    expect(JSON.parse(refused.detail)).toMatchObject({ parameter: 'count', nearest: { value: '0', unit: '1' } })
  })

  it.each([
    ['a device that did the work and says what it used', { status: 'completed', measured: { energyJoules: 1200 } }, '1200'],
    ['one that says nothing of it', { status: 'completed' }, '4500'],
    ['one that failed on the way', { status: 'failed', measured: { energyJoules: 300.5 } }, '300.5'],
    ['one that failed and does not say what it did', { status: 'failed' }, '4500'],
    ['one that did not begin', { status: 'refused' }, '0'],
    ['one that has begun', { status: 'accepted' }, '4500'],
    ['silence: the machine may have moved', undefined, '4500'],
  ] as const)('is settled by the receipt of %s', async (_what, said, expected) => {
    await hear(await receiptOf(fixture, await cut(), said))
    expect(spent()).toBe(expected)
    await here.restart()
    expect(spent()).toBe(expected)
  })

  it('is settled once: the first last word stands', async () => {
    const first = await cut()
    await hear(await receiptOf(fixture, first, { status: 'completed', measured: { energyJoules: 1000 } }))
    await hear(await receiptOf(fixture, first, { status: 'refused' }))
    expect(spent()).toBe('1000')
  })

  it.each([
    ['that was rejected', { result: 'rejected' }, 'device-dispatch'],
    ['of another job', { jobId: 'job-2' }, 'device-dispatch'],
    ['that another service signed', {}, 'approval-router'],
    ['whose ack is not the one signed for', { ack: digest(Buffer.from('other')) }, 'device-dispatch'],
  ] as const)('attack 98: is not given back by a receipt %s', async (_what, change, signer) => {
    const said = { status: 'completed', measured: { energyJoules: 1 } } as const
    await hear(await receiptOf(fixture, await cut(), said, change, signer))
    expect(spent()).toBe('4500')
  })

  it('is charged for more than was reserved, where the device says that it used more', async () => {
    await hear(await receiptOf(fixture, await cut(), { status: 'completed', measured: { energyJoules: 9001 } }))
    expect(spent()).toBe('9001')
    expect(JSON.parse((await cut({ power: '1' })).detail)).toMatchObject({ nearest: { value: '0' } })
  })

  it('stays as it was over a restart, with what is open and what is not', async () => {
    const first = await cut({ power: '20' })
    await cut({ power: '20' })
    await hear(await receiptOf(fixture, first, { status: 'completed', measured: { energyJoules: 400 } }))
    await here.restart()
    expect(spent()).toBe('1900')
  })
})

describe('a budget is given back where a later stage says no', () => {
  it.each(['approval-expired', 'rule-missing', 'denied-by-human'])('approval-router: %s', async (reason) => {
    await decided(await answered(fixture, await cut(), no(reason)))
    expect(spent()).toBe('0')
    await here.restart()
    expect(spent()).toBe('0')
  })

  it('device-dispatch: revoked', async () => {
    const passed = await answered(fixture, await cut())
    await decided(passed)
    await decided(await answered(fixture, passed, no('revoked')))
    expect(spent()).toBe('0')
  })

  const cases: [string, (allowed: Decision) => Promise<readonly Decision[]>][] = [
    ['by a stranger’s key', async (allowed) => [await answered(stranger, allowed, no('rule-missing'))]],
    ['by another stage’s key', async (allowed) => [await answered(fixture, allowed, no('rule-missing'), 'device-dispatch')]],
    [
      'about another decision',
      async (allowed) => [await answered(fixture, allowed, { ...no('rule-missing'), previous: digest(Buffer.from('x')) })],
    ],
    [
      'attack 86: after approval-router let it go',
      async (allowed) => [await answered(fixture, allowed), await answered(fixture, allowed, no('answer-denied'))],
    ],
    [
      'attack 111: about a copy in another partition',
      async (allowed) => {
        const eventId = `approval-router:decisions.semantic-bounds:${partition + 1}:5`
        return [await answered(fixture, allowed, { ...no('chain-other-event'), eventId })]
      },
    ],
    [
      'attack 94: about a record that came again',
      async (allowed) => {
        const passed = await answered(fixture, allowed)
        return [passed, await answered(fixture, passed, no('replayed'))]
      },
    ],
    [
      'about what somebody forged into device-dispatch’s input',
      async (allowed) => {
        const forged = await answered(stranger, allowed)
        return [await answered(fixture, forged, no('chain-unknown-key'))]
      },
    ],
  ]
  it.each(cases)('but not %s', async (_what, make) => {
    for (const decision of await make(await cut())) await decided(decision)
    expect(spent()).toBe('4500')
  })
})

describe('what a memory cannot know is not nothing', () => {
  it('refuses under a budget that the device does not measure', async () => {
    const laser = tables['control.devices'].get('laser-1') as DeviceEntry
    const { uses: _, ...capability } = laser.capabilities['laser.cut'] as DeviceEntry['capabilities'][string]
    tables['control.devices'].set('laser-1', { ...laser, capabilities: { 'laser.cut': capability } })
    expect(reasonOf(await cut())).toBe('budget-unmeasured')
  })

  it('refuses a limit that cannot be read', async () => {
    const limits = { energy: { max: '9000', unit: 's' } }
    expect(reasonOf(await cut({ budgets: [{ holder: 'x', of: 'x', maxCount: 1, limits }] }))).toBe('unit-mismatch')
  })

  it('refuses a job that was silent for longer than it remembers, and knows one that was not', async () => {
    const since = now - horizonMs
    expect(reasonOf(await cut({ since }))).toBe('budget-forgotten')
    expect(reasonOf(await cut())).toBe('ALLOW')
    expect(reasonOf(await cut({ since }))).toBe('ALLOW')
    here.now += horizonMs + 60_000
    await here.tick()
    expect(here.memory.jobs.budgets.openCount).toBe(0)
    expect(spent()).toBe('0')
  })

  it('begins where an allowed command says the job stood', async () => {
    await cut()
    const second = await cut({ power: '20' })
    const { obligations } = statementOf(second) as DecisionStatement
    expect(obligations.spent).toMatchObject({ alice: { energy: { value: '6000', unit: 'J' }, count: { value: '2', unit: '1' } } })
  })
})

describe('rates and sequences', () => {
  const edit = (change: Partial<DeviceEntry>) =>
    tables['control.devices'].set('laser-1', { ...(tables['control.devices'].get('laser-1') as DeviceEntry), ...change })
  const wide = [holder('alice', '900000')]

  it('attack 71: more small commands within a time than a job may give, however small', async () => {
    edit({ rates: [{ per: 'job', of: 'count', max: '3', unit: '1', windowMs: 10_000 }] })
    for (let each = 0; each < 3; each++) expect(reasonOf(await cut({ budgets: wide, power: '1' }))).toBe('ALLOW')
    const refused = await cut({ budgets: wide, power: '1' })
    expect(refused.reasons).toEqual(['rate-exceeded'])
    expect(JSON.parse(refused.detail)).toMatchObject({
      parameter: 'count',
      asked: { value: '1', unit: '1' },
      nearest: { value: '0', unit: '1' },
      limitOf: 'machine',
    })
    await here.restart()
    expect(reasonOf(await cut({ budgets: wide, power: '1' }))).toBe('rate-exceeded')
    here.now += 10_201
    expect(reasonOf(await cut({ budgets: wide, power: '1' }))).toBe('ALLOW')
  })

  it('attack 71: energy that adds up beyond the limit of a window', async () => {
    edit({ rates: [{ per: 'job', of: 'energy', max: '5', unit: 'kJ', windowMs: 60_000 }] })
    expect(reasonOf(await cut({ budgets: wide, power: '40' }))).toBe('ALLOW')
    const refused = await cut({ budgets: wide, power: '40' })
    expect(JSON.parse(refused.detail)).toMatchObject({
      parameter: 'energy',
      asked: { value: '3000', unit: 'J' },
      nearest: { value: '2000', unit: 'J' },
      notBefore: expect.any(String),
    })
    expect(reasonOf(await cut({ budgets: wide, power: '20' }))).toBe('ALLOW')
  })

  it('nothing before what must be completed before it, by the same job, on the same device, lately', async () => {
    const laser = tables['control.devices'].get('laser-1') as DeviceEntry
    const engrave = laser.capabilities['laser.engrave-serial'] as DeviceEntry['capabilities'][string]
    const requires = [{ capability: 'laser.cut', withinMs: 30_000 }]
    const first = await cut({ budgets: wide })
    edit({ capabilities: { ...laser.capabilities, 'laser.cut': { ...engrave, requires } } })
    const refused = await cut({ budgets: wide, power: '20' })
    expect(refused.reasons).toEqual(['sequence-incomplete'])
    expect(JSON.parse(refused.detail)).toMatchObject({ asked: 'laser.cut', nearest: 'laser.cut', limitOf: 'machine' })
    await hear(await receiptOf(fixture, first, { status: 'failed' }))
    expect(reasonOf(await cut({ budgets: wide, power: '20' }))).toBe('sequence-incomplete')
    edit({ capabilities: laser.capabilities })
    await hear(await receiptOf(fixture, await cut({ budgets: wide }), { status: 'completed' }))
    edit({ capabilities: { ...laser.capabilities, 'laser.cut': { ...engrave, requires } } })
    expect(reasonOf(await cut({ budgets: wide, power: '20' }))).toBe('ALLOW')
    await here.restart()
    expect(reasonOf(await cut({ budgets: wide, power: '20' }))).toBe('ALLOW')
    here.now += 32_000
    expect(reasonOf(await cut({ budgets: wide, power: '20' }))).toBe('sequence-incomplete')
  })
})
