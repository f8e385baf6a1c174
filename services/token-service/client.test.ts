import { randomUUID } from 'node:crypto'
import type { AgentEntry } from '@interlock/contracts'
import { signAgentAssertion } from '@interlock/sdk'
import { SingleUse, signJws, x5cOf } from '@interlock/trust'
import { describe, expect, it } from 'vitest'
import { verifyAgentAssertion } from './agent-assertion.ts'
import { silentMs } from './remembered.ts'
import {
  answerTo,
  assertionType,
  fixture,
  key,
  laser,
  now,
  post,
  refused,
  server,
  stranger,
  useTokenService,
} from './test-world.ts'

useTokenService()

describe('attack 123: who is no client learns only that, and the log says why', () => {
  const assert = async (change: object, by = key('agent-job-orchestrator-o1'), header: object = { x5c: x5cOf(by.chain) }) => {
    const iat = Math.floor(now / 1000)
    const claims = { iss: by.spiffeId, sub: by.spiffeId, aud: server.issuer, jti: randomUUID(), iat, exp: iat + 60, ...change }
    return signJws({ typ: 'JWT', ...header }, claims, by)
  }
  const asking = async (client_assertion: string, more = {}) =>
    answerTo(post('/introspect', { client_assertion_type: assertionType, client_assertion, token: 'x', ...more }))
  const noClient = (cause: string) => refused('invalid_client', cause, 401)

  it.each<[string, string, () => Promise<string>]>([
    ['an assertion for another server', 'audience', () => assert({ aud: 'https://other.example' })],
    ['for several servers', 'claims', () => assert({ aud: [server.issuer, 'https://other.example'] })],
    ['that lives ten years', 'validity-too-long', () => assert({ exp: Math.floor(now / 1000) + 315_360_000 })],
    ['that is over', 'expired', () => assert({ iat: Math.floor(now / 1000) - 120, exp: Math.floor(now / 1000) - 60 })],
    ['from the future', 'not-yet-valid', () => assert({ iat: Math.floor(now / 1000) + 120, exp: Math.floor(now / 1000) + 180 })],
    ['dated further ahead than a restart is apart', 'not-yet-valid', () => assert({ iat: now / 1000 + 3, exp: now / 1000 + 60 })],
    [
      'from before this process began',
      'before-start',
      () => assert({ iat: Math.floor(now / 1000) - 20, exp: Math.floor(now / 1000) + 60 }),
    ],
    ['in another agent’s name', 'subject', () => assert({ sub: laser })],
    ['of another issuer', 'subject', () => assert({ iss: laser })],
    ['without an id', 'claims', () => assert({ jti: undefined })],
    ['by a stranger’s key', 'path-untrusted', () => assert({}, stranger.key('agent-job-orchestrator-o1'))],
    [
      'with another agent’s certificate',
      'signature',
      () => assert({}, key('agent-job-orchestrator-o1'), { x5c: x5cOf(key('agent-laser-operator-z1').chain) }),
    ],
    ['with its own key in the header', 'jws-malformed', () => assert({}, key('agent-job-orchestrator-o1'), { jwk: {} })],
    ['by a service', 'not-an-agent', () => assert({}, key('service-registry'))],
    [
      'that a sub-agent gave to its orchestrator as actor_token',
      'header',
      () => signAgentAssertion(key('agent-laser-operator-z1'), server.issuer, 'actor'),
    ],
    [
      'of no type that there is',
      'header',
      () => assert({}, undefined, { typ: 'task+jwt', x5c: x5cOf(key('agent-job-orchestrator-o1').chain) }),
    ],
    ['that is none', 'jws-malformed', async () => 'none'],
  ])('%s', async (_what, cause, make) => expect(await asking(await make())).toEqual(noClient(cause)))

  it('the same assertion twice, before and after a restart, by the fastest clock that counts', async () => {
    const ahead = await assert({ iat: now / 1000 + 2 })
    expect((await asking(ahead)).status).toBe(200)
    const { anchors } = fixture.trust
    const tables = { agents: server.agents, revocations: server.revocations }
    const startedAt = Date.now() + 1 + silentMs
    const next = { issuer: server.issuer, anchors, tables, used: new SingleUse(), startedAt, now: startedAt }
    expect(() => verifyAgentAssertion(ahead, next, 'client')).toThrow(expect.objectContaining({ cause: 'before-start' }))
  })

  it('the same assertion twice', async () => {
    const once = await assert({})
    expect((await asking(once)).status).toBe(200)
    expect(await asking(once)).toEqual(noClient('replayed'))
  })

  it('an assertion and another client_id', async () =>
    expect(await asking(await assert({}), { client_id: laser })).toEqual(noClient('client_id')))

  it.each<[string, string, () => void]>([
    ['the agent', 'revoked', () => revoke('agent', key('agent-job-orchestrator-o1').spiffeId)],
    ['its certificate', 'revoked', () => revoke('certificate', key('agent-job-orchestrator-o1').keyId)],
    [
      'its instance, which is suspended',
      'instance-not-active',
      () => edit(`instance:${key('agent-job-orchestrator-o1').spiffeId}`, { state: 'suspended' }),
    ],
    [
      'its definition, which is retired',
      'definition-not-active',
      () => edit('definition:job-orchestrator', { state: 'retired' }),
    ],
    [
      'its definition, which was changed',
      'definition-mismatch',
      () => edit('definition:job-orchestrator', { hash: 'B'.repeat(43) }),
    ],
  ])('of what does not count any more: %s', async (_what, cause, end) => {
    end()
    expect(await asking(await assert({}))).toEqual(noClient(cause))
  })

  const revoke = (kind: 'agent' | 'certificate', subject: string) =>
    server.revocations.set(`${kind}:${subject}`, { kind, subject, from: now, reason: 'test' })
  const edit = (id: string, change: object) => server.agents.set(id, { ...server.agents.get(id), ...change } as AgentEntry)
})
