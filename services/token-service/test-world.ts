import { randomUUID } from 'node:crypto'
import type { Grant, TaskTokenClaims } from '@interlock/contracts'
import { type RequestedJob, signAgentAssertion, TokenClient } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { agentSpiffeId, jobGrants } from '@interlock/sdk/trust-domain'
import { readTaskToken, type SigningKey, verifyDelegation } from '@interlock/trust'
import { afterEach, beforeAll, beforeEach, expect, vi } from 'vitest'
import { startTestServer, type TestServer } from './test-server.ts'

export const now = Math.floor(Date.now() / 1000) * 1000
export const laser = agentSpiffeId('laser-operator', 'z1')
export const mill = agentSpiffeId('mill-operator', 'z1')
export const jwtType = 'urn:ietf:params:oauth:token-type:jwt'
export const exchangeType = 'urn:ietf:params:oauth:grant-type:token-exchange'
export const deviceCodeType = 'urn:ietf:params:oauth:grant-type:device_code'

export let fixture: Fixture
/** Another trust domain of the same names. */
export let stranger: Fixture
export let server: TestServer
export let orchestrator: TokenClient
export const key = (name: string): SigningKey => fixture.key(name)

/** A fresh server for each test of a file, with the agents of one trust domain as its clients. */
export function useTokenService(): void {
  beforeAll(async () => {
    fixture = await createFixture(now)
    stranger = await createFixture(now)
  })
  beforeEach(async () => {
    // Agents' clocks and the server's are this one.
    vi.useFakeTimers({ toFake: ['Date'], now })
    server = await startTestServer(fixture)
    orchestrator = await TokenClient.open(server.issuer, key('agent-job-orchestrator-o1'))
  })
  afterEach(() => {
    server.stop()
    vi.useRealTimers()
  })
}
export const pass = (ms: number) => vi.setSystemTime(Date.now() + ms)

export const laserGrants = jobGrants.filter(({ locations }) => locations.includes('laser-1'))
export const withPower = (max: string): Grant[] =>
  laserGrants.map((grant) => ({ ...grant, limits: { ...grant.limits, power: { min: '1', max, unit: 'W' } } }))
export const request = (change = {}): Promise<RequestedJob> =>
  orchestrator.requestJob({ human: 'alice', grants: jobGrants, mayDelegateTo: [laser, mill], ...change })
export async function root(change = {}): Promise<string> {
  const job = await request(change)
  expect((await server.answer(job.userCode)).status).toBe(204)
  return orchestrator.rootToken(job)
}
export const actorToken = (name = 'agent-laser-operator-z1') => signAgentAssertion(key(name), server.issuer, 'actor')
export async function child(token: string, change = {}): Promise<string> {
  return orchestrator.exchange({ token, actorToken: await actorToken(), grants: laserGrants, ...change })
}
export const claimsOf = (token: string): TaskTokenClaims => {
  const read = readTaskToken(token)
  if (!read.ok) throw new Error(read.reason)
  return read.value.claims
}
/** Another token of the same job, as the topic would have it. */
export function madeUp(token: string, number: number): string {
  const [header] = token.split('.')
  const claims = { ...claimsOf(token), jti: `${randomUUID()}-${number}` }
  return `${header}.${Buffer.from(JSON.stringify(claims)).toString('base64url')}`
}
export const reasonOf = (asked: Promise<unknown>) =>
  asked.then(
    () => 'done',
    (error: { code?: string; message: string }) => error.code ?? error.message,
  )
export const verified = (tokens: string[], holder = 'agent-laser-operator-z1') =>
  verifyDelegation(tokens, {
    anchors: fixture.trust.anchors,
    now: Date.now(),
    skewMs: 30_000,
    revocations: server.revocations,
    agent: key(holder).spiffeId,
    thumbprint: key(holder).keyId,
  })

/** A request as an attacker writes it, field by field. */
export async function post(
  path: string,
  fields: Record<string, string>,
  by?: string | SigningKey,
): Promise<{ status: number; body: unknown }> {
  const signer = typeof by === 'string' ? key(by) : by
  const body = new URLSearchParams({
    ...(signer && {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: await signAgentAssertion(signer, server.issuer, 'client'),
    }),
    ...fields,
  })
  const response = await fetch(`${server.issuer}${path}`, { method: 'POST', body })
  const text = await response.text()
  return { status: response.status, body: text === '' ? undefined : JSON.parse(text) }
}
export const exchangeOf = (token: string, change: Record<string, string> = {}) =>
  post(
    '/token',
    { grant_type: exchangeType, subject_token: token, subject_token_type: jwtType, ...change },
    'agent-job-orchestrator-o1',
  )
export const refusal = (error: string, status = 400) => ({ status, body: { error } })

/** What the client is told, all of it, and what the log is told. */
export async function answerTo(asked: Promise<{ status: number; body: unknown }>) {
  const known = server.causes.length
  const { status, body } = await asked
  return { status, body, causes: server.causes.slice(known) }
}
export const refused = (error: string, cause: string, status = 400) => ({ ...refusal(error, status), causes: [cause] })
export const forSubAgent = async (token: string, change: Record<string, string> = {}) =>
  exchangeOf(token, { actor_token: await actorToken(), actor_token_type: jwtType, ...change })
export const assertionType = 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer'
