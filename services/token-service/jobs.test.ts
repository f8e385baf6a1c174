import type { AgentEntry } from '@interlock/contracts'
import { TokenClient } from '@interlock/sdk'
import { jobGrants } from '@interlock/sdk/trust-domain'
import { verifyConsent } from '@interlock/trust'
import { describe, expect, it } from 'vitest'
import { IssuedTokens } from './issued-tokens.ts'
import {
  claimsOf,
  fixture,
  key,
  now,
  orchestrator,
  pass,
  post,
  reasonOf,
  refusal,
  request,
  root,
  server,
  useTokenService,
  verified,
  withPower,
} from './test-world.ts'

useTokenService()

describe('a job begins with its human', () => {
  it('who signs what they were shown; the root token carries it, and every verifier finds it good', async () => {
    const token = await root({ job: 'job-7' })
    const claims = claimsOf(token)
    expect(claims).toMatchObject({ sub: 'alice', job: 'job-7', act: { sub: key('agent-job-orchestrator-o1').spiffeId } })
    expect(claims.exp - claims.iat).toBeLessThanOrEqual(3600)
    expect(verified([token], 'agent-job-orchestrator-o1').ok).toBe(true)
    const human = server.agents.get('human:alice') as Extract<AgentEntry, { kind: 'human' }>
    const consent = await verifyConsent({ root: claims, human, expected: fixture.trust.anchors.webauthn, skewMs: 30_000 })
    expect(consent).toMatchObject({ ok: true, value: { summary: expect.stringContaining('power 1 to 80 W') } })
  })

  it('and until they have signed there is no token', async () => {
    const job = await request()
    const polled = () =>
      post(
        '/token',
        { grant_type: 'urn:ietf:params:oauth:grant-type:device_code', device_code: job.deviceCode },
        'agent-job-orchestrator-o1',
      )
    expect(await polled()).toEqual(refusal('authorization_pending'))
    expect(await polled()).toEqual(refusal('slow_down'))
    pass(601_000)
    expect(await polled()).toEqual(refusal('expired_token'))
  })

  it.each([
    ['another human', 'bob', undefined],
    ['for other grants than were shown', 'alice', { grants: withPower('120') }],
    ['for another job', 'alice', { job: 'job-x' }],
  ])('a signature of %s is none', async (_what, human, change) => {
    const job = await request()
    const answered = await server.answer(job.userCode, human, (asked) => ({ ...asked, ...change }))
    expect([answered.status, await answered.json()]).toEqual([400, { error: 'access_denied' }])
    expect((await server.answer(job.userCode)).status).toBe(204)
  })

  it('a no ends it', async () => {
    const job = await request()
    await fetch(`${server.issuer}/grants/${job.userCode}`, { method: 'DELETE' })
    expect(await reasonOf(orchestrator.rootToken(job))).toBe('access_denied')
    expect((await fetch(`${server.issuer}/grants/${job.userCode}`)).status).toBe(400)
  })

  it('its code is for one token, and for the agent that asked', async () => {
    const job = await request()
    await server.answer(job.userCode)
    const other = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
    expect(await reasonOf(other.rootToken(job))).toBe('invalid_grant')
    expect(await reasonOf(orchestrator.rootToken(job))).toBe('done')
    expect(await reasonOf(orchestrator.rootToken(job))).toBe('invalid_grant')
  })

  it('a human who was taken away between signing and issuing gets no token', async () => {
    const job = await request()
    await server.answer(job.userCode)
    server.revocations.set('human:alice', { kind: 'human', subject: 'alice', from: now, reason: 'test' })
    expect(await reasonOf(orchestrator.rootToken(job))).toBe('access_denied')
  })

  it.each([
    ['nobody', { human: 'nobody' }, 'access_denied'],
    ['a human who only approves', { human: 'bob' }, 'access_denied'],
    ['a name that is no name', { job: '../x' }, 'invalid_request'],
    ['a life of a week', { lifetime: 604_800 }, 'invalid_request'],
    ['grants that do not fit the schema', { grants: [{ type: 'all' }] }, 'invalid_authorization_details'],
    ['no grants', { grants: [] }, 'invalid_authorization_details'],
  ])('%s cannot be asked for', async (_what, change, code) => expect(await reasonOf(request(change))).toBe(code))

  it('a job’s name belongs to who has it', async () => {
    await root({ job: 'job-9' })
    const other = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
    expect(await reasonOf(other.requestJob({ human: 'alice', grants: jobGrants, job: 'job-9' }))).toBe('invalid_request')
  })

  describe('of two orchestrators who have a human sign for one job’s name', () => {
    async function bothSigned() {
      const other = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
      const asked = { human: 'alice', grants: jobGrants, job: 'job-9' }
      const jobs = [await orchestrator.requestJob(asked), await other.requestJob(asked)] as const
      for (const { userCode } of jobs) expect((await server.answer(userCode)).status).toBe(204)
      return [() => orchestrator.rootToken(jobs[0]), () => other.rootToken(jobs[1])] as const
    }

    it('who comes second gets nothing', async () => {
      const [first, second] = await bothSigned()
      expect(await reasonOf(first())).toBe('done')
      expect(await reasonOf(second())).toBe('invalid_grant')
      expect(server.causes.at(-1)).toBe('the job is another’s')
    })

    it('one gets nothing where both come at once', async () => {
      server.logMs = 300
      const both = (await bothSigned()).map((come) => reasonOf(come()))
      expect((await Promise.all(both)).toSorted()).toEqual(['done', 'invalid_grant'])
      expect(server.recorded).toHaveLength(1)
    })

    it('the second gets it where the first’s token could not be recorded', async () => {
      const [first, second] = await bothSigned()
      server.isLogAway = true
      expect(await reasonOf(first())).not.toBe('done')
      server.isLogAway = false
      expect(await reasonOf(second())).toBe('done')
    })
  })

  it('a job’s name stays with its first owner, whatever else is written into the topic, and is free once all is over', async () => {
    const first = await root({ job: 'job-9' })
    const owner = { human: 'alice', orchestrator: key('agent-job-orchestrator-o1').spiffeId }
    const [header] = first.split('.')
    const forged = { ...claimsOf(first), sub: 'bob', jti: 'forged-by-somebody' }
    const record = `${header}.${Buffer.from(JSON.stringify(forged)).toString('base64url')}`
    server.issued.add(record, now)
    expect(server.issued.ownerOf('job-9')).toMatchObject(owner)
    const over = claimsOf(first).exp * 1000
    server.issued.forget(over)
    expect(server.issued.ownerOf('job-9')).toBeUndefined()
    // Read back at a start: the name had an owner before, and has another now.
    const again = new IssuedTokens()
    again.add(first.slice(0, first.lastIndexOf('.')), over)
    expect(again.ownerOf('job-9')).toBeUndefined()
  })

  it('an agent cannot bury its human in questions', async () => {
    for (let count = 0; count < 20; count += 1) await request()
    expect(await reasonOf(request())).toBe('slow_down')
  })
})
