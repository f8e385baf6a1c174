import type { AgentEntry, Command, DecisionStatement, TaskTokenClaims } from '@interlock/contracts'
import type { StageContext, StageInput } from '@interlock/enforcer'
import { verifyOrder } from '@interlock/sdk'
import {
  buildIntent,
  buildOrder,
  buildStandingJob,
  createFixture,
  createTables,
  type Fixture,
  type FixtureTables,
  orderContext,
  type StandingJobPlan,
} from '@interlock/sdk/fixture'
import { agentSpiffeId, jobGrants, laboratory } from '@interlock/sdk/trust-domain'
import { digest } from '@interlock/trust'
import fc from 'fast-check'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { decide } from './decide.ts'

const now = Date.UTC(2026, 10, 24, 12)
const second = now / 1000
const operator = agentSpiffeId('laser-operator', 'z1')
const day = 86_400_000

let fixture: Fixture
let tables: FixtureTables
beforeAll(async () => {
  fixture = await createFixture(now)
})
beforeEach(async () => {
  tables = await createTables(fixture, { attestationKey: 'AA', pcrs: [0], pcrDigest: digest(Buffer.alloc(0)) })
})

/** What delegation-check says to a good intent under a job. */
async function stageSays(job: Fixture, at = now + 1000): Promise<string> {
  const intent = await buildIntent(job)
  const identity = {
    stage: 'identity-verify',
    verdict: 'ALLOW',
    obligations: { agent: operator, certificate: fixture.key('agent-laser-operator-z1').keyId },
    expiresAt: now + 60 * day,
  } as unknown as DecisionStatement
  const command = JSON.parse(intent.command.toString('utf8')) as Command
  const input = { intent, command, statements: [identity] } as unknown as StageInput
  const verdict = await decide(input, { now: at, tables, trust: fixture.trust.anchors } as unknown as StageContext<null>)
  return verdict.verdict === 'ALLOW' ? 'ALLOW' : (verdict.reasons[0] ?? '')
}

/** What the device says to the order that came of it, offline: by its trust bundle and what it reads of revocations. */
async function deviceSays(job: Fixture): Promise<string> {
  const read = { ...tables, 'control.stops': new Map(), 'control.federation': new Map() }
  const verdict = await verifyOrder(await buildOrder(job), orderContext(fixture, read, now + 1000))
  return verdict.ok ? 'ALLOW' : verdict.reason
}
const both = async (plan: StandingJobPlan) => {
  const job = await buildStandingJob(fixture, plan)
  return [await stageSays(job), (await deviceSays(job)).replace(/^delegation-/, '')]
}
const twice = (reason: string) => [reason, reason]
const laserOnly = (max: string) =>
  [
    { ...jobGrants[0], limits: { ...jobGrants[0]?.limits, power: { min: '1', max, unit: 'W' } } },
  ] as TaskTokenClaims['authorization_details']

describe('a job under a standing grant', () => {
  it('counts at delegation-check and at the device, by the signature that its human gave once', async () =>
    expect(await both({})).toEqual(twice('ALLOW')))

  it('may be granted less than was signed for', async () =>
    expect(await both({ root: { authorization_details: laserOnly('50') as never }, grant: { grants: laserOnly('80') } })).toEqual(
      twice('ALLOW'),
    ))

  it.each<[string, string, StandingJobPlan]>([
    ['under another name', 'job-not-of-grant', { root: { job: 'job-7' } }],
    ['under a name that only begins alike', 'job-not-of-grant', { root: { job: `nightly-cutter.1.${second}` } }],
    ['under a name in another spelling', 'job-not-of-grant', { root: { job: `nightly-cut.01.${second}` } }],
    ['without a number', 'job-not-of-grant', { root: { job: `nightly-cut.0.${second}` } }],
    ['beyond their number', 'job-beyond-count', { root: { job: `nightly-cut.6.${second}` } }],
    ['outside of its window: before', 'job-outside-window', { grant: { from: now + day, until: now + 2 * day } }],
    ['outside of its window: after', 'job-outside-window', { grant: { from: now - 2 * day, until: now } }],
    ['that is longer than a job may be', 'outlived', { root: { exp: second + 1801 } }],
    ['that ends after the grant', 'outlived', { grant: { until: now + 1_700_000 } }],
    ['with tokens from before it began', 'outlived', { root: { job: `nightly-cut.1.${second + 40}`, exp: second + 1700 } }],
    ['that goes on after its time', 'outlived', { root: { job: `nightly-cut.1.${second - 60}` }, grant: { from: now - day } }],
    ['for another orchestrator', 'differs', { grant: { orchestrator: operator } }],
    ['for another system', 'differs', { grant: { audience: 'other' }, root: { aud: laboratory.audience } }],
    ['of another human', 'differs', { grant: { human: 'bob' }, signer: 'bob', root: { sub: 'alice' } }],
    ['that its human did not sign', 'unknown-credential', { signer: 'bob' }],
    ['with a higher limit', 'wider', { grant: { grants: laserOnly('50') }, root: { authorization_details: laserOnly('80') } }],
    ['with an agent more to delegate to', 'wider', { grant: { mayDelegateTo: [] }, root: { may_act: { sub: [operator] } } }],
  ])('the token service’s key alone cannot invent one %s', async (_what, reason, plan) =>
    expect(await both(plan)).toEqual(twice(`consent-${reason}`)))

  it.each([
    ['the standing grant', 'standing-grant', (job: { grantId: string }) => job.grantId],
    ['its human', 'human', () => 'alice'],
    ['the job', 'job', (job: Fixture) => job.job.jobId],
  ] as const)('ends when %s is revoked, and none begins after', async (_what, kind, subjectOf) => {
    const job = await buildStandingJob(fixture)
    const subject = subjectOf(job)
    tables['control.revocations'].set(`${kind}:${subject}`, { kind, subject, from: now, reason: 'test' })
    expect([await stageSays(job), await deviceSays(job)]).toEqual(['revoked', 'delegation-revoked'])
  })

  it('is not ended by the end of another standing grant', async () => {
    const other = await buildStandingJob(fixture)
    const subject = other.grantId
    tables['control.revocations'].set(`standing-grant:${subject}`, { kind: 'standing-grant', subject, from: now, reason: 'test' })
    expect(await both({})).toEqual(twice('ALLOW'))
  })

  it('needs its human to be there still', async () => {
    const alice = tables['control.agents'].get('human:alice') as AgentEntry
    tables['control.agents'].set('human:alice', { ...alice, state: 'suspended' } as AgentEntry)
    expect(await stageSays(await buildStandingJob(fixture))).toBe('human-not-active')
  })
})

describe('whatever the token service signs,', () => {
  it('no token beyond the standing grant is accepted', async () => {
    const plan = fc.record({
      number: fc.integer({ min: 0, max: 6 }),
      /** Seconds from now. */
      begin: fc.integer({ min: -300, max: 30 }),
      /** Seconds after its begin. */
      iat: fc.integer({ min: -60, max: 120 }),
      life: fc.integer({ min: 240, max: 2400 }),
      power: fc.integer({ min: 70, max: 90 }),
      from: fc.integer({ min: -600, max: 30 }),
      validity: fc.integer({ min: 300, max: 4000 }),
      jobSecondsMax: fc.integer({ min: 300, max: 3600 }),
      jobsMax: fc.integer({ min: 2, max: 8 }),
      prefix: fc.constantFrom('nightly-cut', 'nightly-cut', 'nightly', 'nightly-cut.1'),
    })
    let accepted = 0
    await fc.assert(
      fc.asyncProperty(plan, async (tried) => {
        const from = now + tried.from * 1000
        const until = from + tried.validity * 1000
        const begin = now + tried.begin * 1000
        const iat = begin / 1000 + tried.iat
        const exp = iat + tried.life
        const job = await buildStandingJob(fixture, {
          grant: { from, until, jobSecondsMax: tried.jobSecondsMax, jobsMax: tried.jobsMax, grants: laserOnly('80') },
          root: {
            job: `${tried.prefix}.${tried.number}.${begin / 1000}`,
            ...{ iat, exp },
            authorization_details: laserOnly(String(tried.power)),
          },
        })
        if ((await stageSays(job)) !== 'ALLOW') return
        accepted++
        expect(tried.prefix).toBe('nightly-cut')
        expect(tried.number).toBeGreaterThanOrEqual(1)
        expect(tried.number).toBeLessThanOrEqual(tried.jobsMax)
        expect(begin).toBeGreaterThanOrEqual(from)
        expect(begin).toBeLessThan(until)
        expect(iat * 1000).toBeGreaterThanOrEqual(begin - 30_000)
        expect(exp * 1000).toBeLessThanOrEqual(Math.min(until, begin + tried.jobSecondsMax * 1000))
        expect(tried.power).toBeLessThanOrEqual(80)
      }),
      { numRuns: 400 },
    )
    expect(accepted).toBeGreaterThan(0)
  })
})
