import { randomUUID } from 'node:crypto'
import { buildStandingJob, createFixture } from '@interlock/sdk/fixture'
import { readStandingRecord, readTaskToken, recordOfStandingGrant, type StandingRecord } from '@interlock/trust'
import { expect, it } from 'vitest'
import { describeGrant } from './grant.ts'
import { livingGrants } from './standing.ts'

const now = Date.UTC(2026, 10, 24, 12)

it('a standing grant is listed once, with the number of its jobs and not of their tokens, until its time is over', async () => {
  const { job, grantId } = await buildStandingJob(await createFixture(now))
  const [token = ''] = job.tokens['agent-job-orchestrator-o1'] ?? []
  const read = readTaskToken(token)
  if (!read.ok || !read.value.claims.consent) throw new Error('no consent')
  const { claims } = read.value
  const renewed = { ...claims, jti: randomUUID() }
  const inputs = [
    recordOfStandingGrant(read.value.claims.consent),
    token.slice(0, token.lastIndexOf('.')),
    `${token.split('.')[0]}.${Buffer.from(JSON.stringify(renewed)).toString('base64url')}`,
  ]
  const records = inputs.map(readStandingRecord) as StandingRecord[]
  expect(livingGrants(records, now)).toMatchObject([{ id: grantId, jobs: 1, grant: { jobPrefix: 'nightly-cut' } }])
  expect(livingGrants(records, now + 7 * 86_400_000)).toEqual([])
})

it('attack 88: what is asked moves no cursor, whoever wrote it', async () => {
  const { job } = await buildStandingJob(await createFixture(now), {
    grant: { mayDelegateTo: ['spiffe://x\u001b[2J\u202e'] },
    root: { may_act: { sub: ['spiffe://lab.interlock.example/agent/laser-operator/z1'] } },
  })
  const [token = ''] = job.tokens['agent-job-orchestrator-o1'] ?? []
  const grant = readStandingRecord(token.slice(0, token.lastIndexOf('.')))?.grant
  expect(grant && describeGrant(grant)).not.toMatch(/\p{Cf}|(?!\n)\p{Cc}/u)
  expect(grant && describeGrant(grant)).toContain('asks alice for a standing grant')
})
