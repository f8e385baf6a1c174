import { randomUUID } from 'node:crypto'
import type { AgentEntry } from '@interlock/contracts'
import { signJws, x5cOf } from '@interlock/trust'
import { describe, expect, it } from 'vitest'
import { key, laser, now, post, refusal, server, stranger, useTokenService } from './test-world.ts'

useTokenService()

describe('attack 123: who is no client learns only that', () => {
  const assert = async (change: object, by = key('agent-job-orchestrator-o1'), header: object = { x5c: x5cOf(by.chain) }) => {
    const iat = Math.floor(now / 1000)
    const claims = { iss: by.spiffeId, sub: by.spiffeId, aud: server.issuer, jti: randomUUID(), iat, exp: iat + 60, ...change }
    return signJws({ typ: 'JWT', ...header }, claims, by)
  }
  const asking = async (client_assertion: string, more = {}) =>
    post('/introspect', {
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion,
      token: 'x',
      ...more,
    })

  it.each<[string, () => Promise<string>]>([
    ['an assertion for another server', () => assert({ aud: 'https://other.example' })],
    ['for several servers', () => assert({ aud: [server.issuer, 'https://other.example'] })],
    ['that lives ten years', () => assert({ exp: Math.floor(now / 1000) + 315_360_000 })],
    ['that is over', () => assert({ iat: Math.floor(now / 1000) - 120, exp: Math.floor(now / 1000) - 60 })],
    ['from the future', () => assert({ iat: Math.floor(now / 1000) + 120, exp: Math.floor(now / 1000) + 180 })],
    ['from before this process began', () => assert({ iat: Math.floor(now / 1000) - 20, exp: Math.floor(now / 1000) + 60 })],
    ['in another agent’s name', () => assert({ sub: laser })],
    ['of another issuer', () => assert({ iss: laser })],
    ['without an id', () => assert({ jti: undefined })],
    ['by a stranger’s key', () => assert({}, stranger.key('agent-job-orchestrator-o1'))],
    [
      'with another agent’s certificate',
      () => assert({}, key('agent-job-orchestrator-o1'), { x5c: x5cOf(key('agent-laser-operator-z1').chain) }),
    ],
    ['with its own key in the header', () => assert({}, key('agent-job-orchestrator-o1'), { jwk: {} })],
    ['by a service', () => assert({}, key('service-registry'))],
    ['that is none', async () => 'none'],
  ])('%s', async (_what, make) => expect(await asking(await make())).toEqual(refusal('invalid_client', 401)))

  it('the same assertion twice', async () => {
    const once = await assert({})
    expect((await asking(once)).status).toBe(200)
    expect(await asking(once)).toEqual(refusal('invalid_client', 401))
  })

  it('an assertion and another client_id', async () =>
    expect(await asking(await assert({}), { client_id: laser })).toEqual(refusal('invalid_client', 401)))

  it.each<[string, () => void]>([
    ['the agent', () => revoke('agent', key('agent-job-orchestrator-o1').spiffeId)],
    ['its certificate', () => revoke('certificate', key('agent-job-orchestrator-o1').keyId)],
    [
      'its instance, which is suspended',
      () => edit(`instance:${key('agent-job-orchestrator-o1').spiffeId}`, { state: 'suspended' }),
    ],
    ['its definition, which is retired', () => edit('definition:job-orchestrator', { state: 'retired' })],
    ['its definition, which was changed', () => edit('definition:job-orchestrator', { hash: 'B'.repeat(43) })],
  ])('of what does not count any more: %s', async (_what, end) => {
    end()
    expect(await asking(await assert({}))).toEqual(refusal('invalid_client', 401))
  })

  const revoke = (kind: 'agent' | 'certificate', subject: string) =>
    server.revocations.set(`${kind}:${subject}`, { kind, subject, from: now, reason: 'test' })
  const edit = (id: string, change: object) => server.agents.set(id, { ...server.agents.get(id), ...change } as AgentEntry)
})
