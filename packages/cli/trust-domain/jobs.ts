import { randomUUID } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { consentToGrant, delegate, readGrantRequest, signAgentAssertion, TokenClient } from '@interlock/sdk'
import { replacePrivateFile } from '@interlock/sdk/private-file'
import { type SoftwarePasskey, softwarePasskeySchema } from '@interlock/sdk/software-passkey'
import { issueJob, type JobTokens, jobGrants, operatorGrants } from '@interlock/sdk/trust-domain'
import { loadSigningKey, readTaskToken, type SigningKey } from '@interlock/trust'
import { z } from 'zod'
import { readStackFile } from '../stack/stack-file.ts'
import type { Layout } from './layout.ts'

const jobSchema = z.strictObject({
  jobId: z.string(),
  human: z.string(),
  expiresAt: z.int(),
  tokens: z.record(z.string(), z.array(z.string())),
})

/** A token's life; DESIGN allows up to an hour. */
const VALIDITY_SECONDS = 3600

export const signingKeyOf = (layout: Layout, name: string): SigningKey => loadSigningKey(layout.key(name), layout.chain(name))

const operatorNames = ['agent-laser-operator-z1', 'agent-mill-operator-z1'] as const
const orchestratorName = 'agent-job-orchestrator-o1'

/**
 * A new job of alice's, kept in the directory: bearer of nothing without the agents' keys, but private. From the token service of the running stack; on a stack
 * without one, as it would issue it, by its key.
 */
export async function createJob(layout: Layout, now: number, jobId = `job-${randomUUID().slice(0, 8)}`): Promise<JobTokens> {
  const tokenService = existsSync(layout.stack) ? readStackFile(layout).tokenService : undefined
  const passkey = softwarePasskeySchema.parse(JSON.parse(readFileSync(layout.passkey('alice'), 'utf8')))
  const job = tokenService
    ? await obtainJob({ layout, jobId, passkey, issuer: tokenService })
    : await issueJob({
        jobId,
        human: 'alice',
        passkey,
        now,
        validitySeconds: VALIDITY_SECONDS,
        tokenService: signingKeyOf(layout, 'service-token'),
        orchestrator: signingKeyOf(layout, orchestratorName),
        operators: new Map(operatorNames.map((name) => [name, signingKeyOf(layout, name)])),
      })
  mkdirSync(layout.jobs, { recursive: true, mode: 0o700 })
  replacePrivateFile(layout.job(jobId), `${JSON.stringify(job, null, 2)}\n`)
  return job
}

type JobToObtain = {
  readonly layout: Layout
  readonly jobId: string
  readonly passkey: SoftwarePasskey
  readonly issuer: string
}

/** The orchestrator asks, alice signs, the laser's operator gets its token by exchange, the mill's by attenuation offline: both ways are good. */
async function obtainJob({ layout, jobId, passkey, issuer }: JobToObtain): Promise<JobTokens> {
  const orchestrator = signingKeyOf(layout, orchestratorName)
  const [laser, mill] = operatorNames.map((name) => signingKeyOf(layout, name)) as [SigningKey, SigningKey]
  const client = await TokenClient.open(issuer, orchestrator)
  const mayDelegateTo = [laser.spiffeId, mill.spiffeId]
  const requested = await client.requestJob({ human: passkey.human, grants: jobGrants, mayDelegateTo, job: jobId })
  await consentToGrant(requested.verificationUri, await readGrantRequest(requested.verificationUri), passkey)
  const root = await client.rootToken(requested)
  const actorToken = await signAgentAssertion(laser, issuer, 'actor')
  const child = await client.exchange({ token: root, actorToken, grants: operatorGrants('laser-1') })
  const to = { spiffeId: mill.spiffeId, certificateThumbprint: mill.keyId }
  const offline = { tokens: [root], key: orchestrator, to, grants: operatorGrants('mill-1'), validitySeconds: VALIDITY_SECONDS }
  const read = readTaskToken(root)
  if (!read.ok) throw new Error(`the token service's token cannot be read: ${read.reason}`)
  return {
    jobId,
    human: passkey.human,
    expiresAt: read.value.claims.exp * 1000,
    tokens: { [orchestratorName]: [root], [operatorNames[0]]: [root, child], [operatorNames[1]]: await delegate(offline) },
  }
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
