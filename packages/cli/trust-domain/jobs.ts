import { randomUUID } from 'node:crypto'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { softwarePasskeySchema } from '@interlock/sdk/software-passkey'
import { issueJob, type JobTokens } from '@interlock/sdk/trust-domain'
import { loadSigningKey, type SigningKey } from '@interlock/trust'
import { z } from 'zod'
import type { Layout } from './layout.ts'
import { replacePrivateFile } from './private-file.ts'

const jobSchema = z.strictObject({
  jobId: z.string(),
  human: z.string(),
  expiresAt: z.int(),
  tokens: z.record(z.string(), z.array(z.string())),
})

/** A token's life; DESIGN allows up to an hour. */
const VALIDITY_SECONDS = 3600

export const signingKeyOf = (layout: Layout, name: string): SigningKey => loadSigningKey(layout.key(name), layout.chain(name))

/** Issues a job's tokens as the token service will, and keeps them: bearer of nothing without the agents' keys, but private. */
export async function createJob(layout: Layout, now: number, jobId = `job-${randomUUID().slice(0, 8)}`): Promise<JobTokens> {
  const operators = (['agent-laser-operator-z1', 'agent-mill-operator-z1'] as const).map(
    (name) => [name, signingKeyOf(layout, name)] as const,
  )
  const job = await issueJob({
    jobId,
    human: 'alice',
    passkey: softwarePasskeySchema.parse(JSON.parse(readFileSync(layout.passkey('alice'), 'utf8'))),
    now,
    validitySeconds: VALIDITY_SECONDS,
    tokenService: signingKeyOf(layout, 'service-token'),
    orchestrator: signingKeyOf(layout, 'agent-job-orchestrator-o1'),
    operators: new Map(operators),
  })
  mkdirSync(layout.jobs, { recursive: true, mode: 0o700 })
  replacePrivateFile(layout.job(jobId), `${JSON.stringify(job, null, 2)}\n`)
  return job
}

/** The job that lasts longest, if it lasts for another five minutes; else a new one. */
export async function currentJob(layout: Layout, now: number): Promise<JobTokens> {
  const newest = readJobs(layout).toSorted((left, right) => right.expiresAt - left.expiresAt)[0]
  return newest && newest.expiresAt > now + 300_000 ? newest : createJob(layout, now)
}

export function readJobs(layout: Layout): JobTokens[] {
  mkdirSync(layout.jobs, { recursive: true, mode: 0o700 })
  return readdirSync(layout.jobs)
    .filter((name) => name.endsWith('.json'))
    .map((name) => jobSchema.parse(JSON.parse(readFileSync(join(layout.jobs, name), 'utf8'))))
}
