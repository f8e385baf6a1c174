import type { AgentEntry } from '@interlock/contracts'
import { TokenClient } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { agentSpiffeId, jobGrants } from '@interlock/sdk/trust-domain'
import { readTaskToken, recordOfStandingGrant, verifyConsent, verifyDelegation } from '@interlock/trust'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { StandingGrants } from './standing-grants.ts'
import { startTestServer, type TestServer } from './test-server.ts'

const now = Math.floor(Date.now() / 1000) * 1000
const laser = agentSpiffeId('laser-operator', 'z1')
const hour = 3_600_000

let fixture: Fixture
let server: TestServer
let orchestrator: TokenClient
beforeAll(async () => {
  fixture = await createFixture(now)
})
beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'], now })
  server = await startTestServer(fixture)
  orchestrator = await clientOf('agent-job-orchestrator-o1')
})
afterEach(() => {
  server.stop()
  vi.useRealTimers()
})
const pass = (ms: number) => vi.setSystemTime(Date.now() + ms)
const clientOf = (name: string) => TokenClient.open(server.issuer, fixture.key(name))

const ask = (change = {}) =>
  orchestrator.requestStandingGrant({
    ...{ human: 'alice', grants: jobGrants, mayDelegateTo: [laser] },
    ...{ name: 'nightly-cut', jobs: 5, jobsPerDay: 2, lifetime: 1800, validity: 72 * 3600 },
    ...change,
  })
async function signed(change = {}): Promise<string> {
  const { standingGrant, userCode } = await ask(change)
  expect((await server.answer(userCode)).status).toBe(204)
  return standingGrant
}
const start = async (id: string) => (await orchestrator.startJob(id)).job.split('.').slice(0, 2).join('.')
const reasonOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )
const causeOf = async (asked: Promise<unknown>) => [await reasonOf(asked), server.causes.at(-1)]
const claimsOf = (token: string) => {
  const read = readTaskToken(token)
  if (!read.ok) throw new Error(read.reason)
  return read.value.claims
}
const revoke = (kind: 'standing-grant' | 'human', subject: string) =>
  server.revocations.set(`${kind}:${subject}`, { kind, subject, from: Date.now(), reason: 'test' })

describe('a standing grant', () => {
  it('is signed once; each of its jobs has a root token that every verifier finds good', async () => {
    const id = await signed()
    pass(hour)
    const { job, token } = await orchestrator.startJob(id)
    const claims = claimsOf(token)
    expect(claims).toMatchObject({ sub: 'alice', job, may_act: { sub: [laser] } })
    expect(job).toBe(`nightly-cut.1.${claims.iat}`)
    expect(claims.exp - claims.iat).toBe(1800)
    const { spiffeId, keyId } = fixture.key('agent-job-orchestrator-o1')
    const { anchors } = fixture.trust
    const held = { agent: spiffeId, thumbprint: keyId, revocations: server.revocations }
    expect(verifyDelegation([token], { anchors, now: Date.now(), skewMs: 30_000, ...held }).ok).toBe(true)
    const human = server.agents.get('human:alice') as Extract<AgentEntry, { kind: 'human' }>
    const consent = await verifyConsent({ root: claims, human, expected: anchors.webauthn, skewMs: 30_000 })
    expect(consent).toMatchObject({
      ok: true,
      value: { kind: 'standing-grant', summary: expect.stringContaining('at most 5 jobs, 2 in 24 hours, 30 minutes each') },
    })
  })

  it('has its jobs renewed within their time, which is counted as one job, and not after', async () => {
    const id = await signed()
    const { token } = await orchestrator.startJob(id)
    pass(1_200_000)
    const again = claimsOf(await orchestrator.renew(token))
    expect(again.exp).toBe(claimsOf(token).exp)
    expect(await start(id)).toBe('nightly-cut.2')
  })

  it('has no jobs before it is signed', async () => {
    const { standingGrant } = await ask()
    expect(await causeOf(orchestrator.startJob(standingGrant))).toEqual(['invalid_grant', 'standing grant: none of this client'])
  })

  it('that could not be recorded does not stand, and can still be signed', async () => {
    const { standingGrant, userCode } = await ask()
    server.isLogAway = true
    expect((await server.answer(userCode)).status).toBe(500)
    server.isLogAway = false
    expect(await reasonOf(orchestrator.startJob(standingGrant))).toBe('invalid_grant')
    expect((await server.answer(userCode)).status).toBe(204)
    expect(await reasonOf(orchestrator.startJob(standingGrant))).toBe('done')
  })

  it.each([
    ['another human', 'bob', undefined],
    ['for more jobs than were shown', 'alice', { jobsMax: 100 }],
    ['for longer jobs than were shown', 'alice', { jobSecondsMax: 3600 }],
  ])('is not signed by %s', async (_what, human, change) => {
    const { userCode } = await ask()
    const answered = await server.answer(userCode, human, (asked) => ({ ...asked, ...change }) as never)
    expect([answered.status, await answered.json()]).toEqual([400, { error: 'access_denied' }])
  })

  it.each<[string, object, string]>([
    ['a name that is no name', { name: '../x' }, 'invalid_request'],
    ['a name with a dot', { name: 'a.b' }, 'invalid_request'],
    ['no jobs', { jobs: 0 }, 'invalid_request'],
    ['more a day than in all', { jobsPerDay: 6 }, 'invalid_request'],
    ['jobs of a week', { lifetime: 604_800 }, 'invalid_request'],
    ['a year', { validity: 31_536_000 }, 'invalid_request'],
    ['a human who only approves', { human: 'bob' }, 'access_denied'],
    ['no grants', { grants: [] }, 'invalid_authorization_details'],
  ])('cannot be asked for: %s', async (_what, change, code) => expect(await reasonOf(ask(change))).toBe(code))

  it('has its name for itself as long as it stands', async () => {
    await signed()
    expect(await reasonOf(ask())).toBe('invalid_request')
    const first = await ask({ name: 'second' })
    const second = await ask({ name: 'second' })
    expect((await server.answer(first.userCode)).status).toBe(204)
    expect((await server.answer(second.userCode)).status).toBe(400)
  })

  it('has its name for itself where two are signed at once', async () => {
    const asked = [await ask(), await ask()]
    server.logMs = 300
    const answers = await Promise.all(asked.map(({ userCode }) => server.answer(userCode)))
    expect(answers.map(({ status }) => status).toSorted()).toEqual([204, 400])
    expect(server.recorded).toHaveLength(1)
  })
})

describe('a job under a standing grant does not begin', () => {
  it('for another agent than it names', async () => {
    const id = await signed()
    const thief = await clientOf('agent-laser-operator-z1')
    expect(await causeOf(thief.startJob(id))).toEqual(['invalid_grant', 'standing grant: none of this client'])
  })

  it('where a day has had its number; the next day it does', async () => {
    const id = await signed()
    expect([await start(id), await start(id)]).toEqual(['nightly-cut.1', 'nightly-cut.2'])
    expect(await causeOf(orchestrator.startJob(id))).toEqual(['slow_down', 'standing grant: enough jobs for a day'])
    pass(24 * hour)
    expect(await start(id)).toBe('nightly-cut.3')
  })

  it('where all have begun', async () => {
    const id = await signed({ jobs: 2, jobsPerDay: 2 })
    await Promise.all([start(id), start(id)])
    expect(await causeOf(orchestrator.startJob(id))).toEqual(['invalid_grant', 'standing grant: all its jobs have begun'])
  })

  it('twice at once beyond its number', async () => {
    const id = await signed({ jobs: 1, jobsPerDay: 1 })
    const both = await Promise.all([reasonOf(orchestrator.startJob(id)), reasonOf(orchestrator.startJob(id))])
    expect(both.toSorted()).toEqual(['done', 'invalid_grant'])
  })

  it('when its time is over', async () => {
    const id = await signed({ validity: 7200 })
    pass(2 * hour)
    expect(await causeOf(orchestrator.startJob(id))).toEqual(['invalid_grant', 'job-outside-window'])
  })

  it.each(['standing-grant', 'human'] as const)('when the %s is revoked, and those that have begun end', async (kind) => {
    const id = await signed()
    const { token } = await orchestrator.startJob(id)
    revoke(kind, kind === 'human' ? 'alice' : id)
    expect(await reasonOf(orchestrator.startJob(id))).toBe(kind === 'human' ? 'access_denied' : 'invalid_grant')
    expect((await orchestrator.introspect(token)).active).toBe(false)
    expect(await reasonOf(orchestrator.renew(token))).toBe('invalid_grant')
  })

  it('when the passkey that signed it is no longer its human’s', async () => {
    const id = await signed()
    server.agents.set('human:alice', { ...server.agents.get('human:alice'), credentials: [] } as unknown as AgentEntry)
    expect(await reasonOf(orchestrator.startJob(id))).toBe('access_denied')
  })

  it('where it could not be recorded; it is counted, since it may have been', async () => {
    const id = await signed({ jobs: 2, jobsPerDay: 2 })
    server.isLogAway = true
    expect(await reasonOf(orchestrator.startJob(id))).toBe('temporarily_unavailable')
    server.isLogAway = false
    expect(await start(id)).toBe('nightly-cut.2')
    expect(await reasonOf(orchestrator.startJob(id))).toBe('invalid_grant')
  })
})

describe('after a restart', () => {
  it.each([
    ['in the order in which it was written', (records: string[]) => records],
    ['in another, as partitions come', (records: string[]) => records.toReversed()],
  ])('what has begun is counted still, read from the topic %s', async (_what, inOrder) => {
    const id = await signed()
    await start(id)
    const { token } = await orchestrator.startJob(id)
    await orchestrator.renew(token)
    const again = new StandingGrants()
    for (const record of inOrder(server.recorded)) again.add(record)
    const kept = again.get(id)
    expect(kept?.grant.human).toBe('alice')
    expect(() => kept && again.begin(kept, Date.now())).toThrow('slow_down')
    pass(25 * hour)
    expect(kept && again.begin(kept, Date.now())).toMatch(/^nightly-cut\.3\./)
  })

  it('the consent that was read first is kept, whatever else is written into the topic of the same grant', async () => {
    const id = await signed()
    const again = new StandingGrants()
    for (const record of server.recorded) again.add(record)
    const kept = again.get(id)
    if (!kept) throw new Error('not kept')
    again.add(recordOfStandingGrant({ ...kept.consent, signature: 'AAAA' }))
    expect(again.get(id)?.consent).toEqual(kept.consent)
  })

  it('what is no standing grant is passed over, and what is over forgotten', async () => {
    const id = await signed()
    const again = new StandingGrants()
    for (const record of ['', 'a.b', 'e30.e30', ...server.recorded]) again.add(record)
    again.forget(now + 71 * hour)
    expect(again.get(id)).toBeDefined()
    again.forget(now + 72 * hour)
    expect(again.get(id)).toBeUndefined()
    expect(again.isTaken('nightly-cut')).toBe(false)
  })
})
