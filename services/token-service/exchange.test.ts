import type { Grant } from '@interlock/contracts'
import { signAgentAssertion, TokenClient } from '@interlock/sdk'
import { signTaskToken } from '@interlock/trust'
import { describe, expect, it } from 'vitest'
import { tokensOfJobMax } from './issue.ts'
import {
  actorToken,
  child,
  claimsOf,
  exchangeOf,
  fixture,
  key,
  laser,
  laserGrants,
  madeUp,
  mill,
  now,
  pass,
  reasonOf,
  refusal,
  root,
  server,
  stranger,
  useTokenService,
  verified,
  withPower,
} from './test-world.ts'

useTokenService()

describe('a token for a sub-agent', () => {
  it('is narrower, bound to the sub-agent’s certificate, and counts with its parent', async () => {
    const first = await root()
    const second = await child(first, { grants: withPower('40') })
    const found = verified([first, second])
    expect(found.ok && found.value.actors).toEqual([key('agent-job-orchestrator-o1').spiffeId, laser])
    expect(claimsOf(second).cnf['x5t#S256']).toBe(key('agent-laser-operator-z1').keyId)
  })

  it('is for tools where its parent is, beside devices, and its human read which', async () => {
    const mail: Grant = {
      type: 'interlock_tool',
      locations: ['mail'],
      actions: ['send', 'draft'],
      limits: { to: { values: ['alice@lab.example', 'bob@lab.example'] } },
      maxCount: 5,
    }
    const first = await root({ grants: [...laserGrants, mail] })
    const { consent } = claimsOf(first)
    expect(Buffer.from(consent?.request ?? '', 'base64url').toString()).toContain('call send or draft of mail: to one of')
    const narrow: Grant = { ...mail, actions: ['draft'], limits: { to: { values: ['alice@lab.example'] } } }
    const second = await child(first, { grants: [narrow] })
    const found = verified([first, second])
    expect(found.ok && found.value.grants.at(-1)).toEqual([narrow])
    for (const wider of [
      { ...mail, actions: ['delete'] },
      { ...mail, limits: {} },
      { ...mail, locations: ['bank'] },
    ])
      expect(await reasonOf(child(first, { grants: [wider] }))).toBe('invalid_authorization_details')
  })

  it('can be narrowed further, by exchange or offline, as far as may_act goes', async () => {
    const first = await root()
    const second = await child(first, { mayDelegateTo: [mill] })
    const client = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
    const third = await client.exchange({ token: second, actorToken: await actorToken('agent-mill-operator-z1') })
    expect(verified([first, second, third], 'agent-mill-operator-z1').ok).toBe(true)
  })

  it.each([
    ['122: a higher limit', { grants: withPower('81') }, 'invalid_authorization_details'],
    ['122: another device', { grants: [{ ...laserGrants[0], locations: ['robot-1'] }] }, 'invalid_authorization_details'],
    ['122: a limit less', { grants: [{ ...laserGrants[0], limits: {} }] }, 'invalid_authorization_details'],
    ['122: to delegate to whom the parent does not name', { mayDelegateTo: [`${mill}x`] }, 'invalid_target'],
  ])('attack %s is refused, not narrowed', async (_what, change, code) => {
    const first = await root()
    const before = server.recorded.length
    expect(await reasonOf(child(first, change))).toBe(code)
    expect(server.recorded).toHaveLength(before)
  })

  it('attack 46: goes to nobody who is in the chain already', async () => {
    const first = await root({ mayDelegateTo: [laser, mill] })
    const second = await child(first, { mayDelegateTo: [laser, mill] })
    const client = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
    expect(await reasonOf(client.exchange({ token: second, actorToken: await actorToken() }))).toBe('invalid_target')
  })

  it('is issued a thousand times for one job, not more', async () => {
    const first = await root({ job: 'job-many' })
    for (let count = 1; count < tokensOfJobMax; count += 1) server.issued.add(madeUp(first, count))
    expect(await reasonOf(child(first))).toBe('temporarily_unavailable')
    expect(await reasonOf(child(await root()))).toBe('done')
  })

  it('attack 49: goes to nobody whom its parent does not name', async () => {
    const first = await root({ mayDelegateTo: [mill] })
    expect(await reasonOf(child(first))).toBe('invalid_target')
  })

  it('never outlives its parent', async () => {
    const first = await root()
    pass(3_500_000)
    expect(claimsOf(await child(first)).exp).toBe(claimsOf(first).exp)
  })

  it.each([
    ['121: of another issuer', async () => stranger.job.tokens['agent-job-orchestrator-o1']?.[0] ?? ''],
    ['121: that the agent signed itself', async () => signTaskToken(claimsOf(await root()), key('agent-job-orchestrator-o1'))],
    ['121: signed by us and never recorded', async () => fixture.job.tokens['agent-job-orchestrator-o1']?.[0] ?? ''],
    [
      '128: by a key that nobody knows',
      async () => signTaskToken(claimsOf(await root()), { kid: stranger.key('service-token') }),
    ],
    [
      '121: by another service of ours',
      async () =>
        signTaskToken({ ...claimsOf(await root()), iss: key('service-registry').spiffeId }, { kid: key('service-registry') }),
    ],
    ['42: written in another way', async () => `${await root()}=`],
    ['59: that is no JWS', async () => 'a.b.c.d.e'],
  ])('attack %s: a subject token counts for nothing', async (_what, make) => {
    expect(await exchangeOf(await make())).toEqual(refusal('invalid_grant'))
  })

  it('attack 121: an expired one counts for nothing', async () => {
    const first = await root()
    pass(3_600_000)
    expect(await exchangeOf(first)).toEqual(refusal('invalid_grant'))
  })

  it.each(['token', 'job', 'human', 'agent', 'certificate'] as const)('attack 121: nor one whose %s is revoked', async (kind) => {
    const first = await root({ job: 'job-r' })
    const second = await child(first)
    const { iss, jti } = claimsOf(first)
    const { spiffeId, keyId } = key('agent-job-orchestrator-o1')
    const subject = { token: `${iss} ${jti}`, job: 'job-r', human: 'alice', agent: spiffeId, certificate: keyId }[kind]
    server.revocations.set(`${kind}:${subject}`, { kind, subject, from: now, reason: 'test' })
    const client = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
    expect((await client.introspect(second)).active).toBe(false)
    expect(await reasonOf(client.renew(second))).toBe('invalid_grant')
  })

  it('attack 121: of a type that nobody registered is refused', async () => {
    expect(await exchangeOf(await root(), { subject_token_type: 'urn:x' })).toEqual(refusal('invalid_request'))
    expect(await exchangeOf(await root(), { requested_token_type: 'urn:ietf:params:oauth:token-type:refresh_token' })).toEqual(
      refusal('invalid_request'),
    )
  })

  it.each(['audience', 'resource'])('attacks 122 and 127: another %s is refused, and no address is asked', async (name) => {
    expect(await exchangeOf(await root(), { [name]: 'http://127.0.0.1:1/' })).toEqual(refusal('invalid_target'))
  })

  it('is not given to another agent than the one that holds the parent', async () => {
    const first = await root()
    const thief = await TokenClient.open(server.issuer, key('agent-mill-operator-z1'))
    expect(await reasonOf(thief.exchange({ token: first, actorToken: await actorToken() }))).toBe('invalid_grant')
  })

  it('is not given to a sub-agent that does not prove itself, nor twice by one proof', async () => {
    const first = await root()
    const proof = await actorToken()
    expect(await reasonOf(child(first, { actorToken: proof }))).toBe('done')
    expect(await reasonOf(child(first, { actorToken: proof }))).toBe('invalid_grant')
    expect(
      await reasonOf(
        child(first, { actorToken: await signAgentAssertion(stranger.key('agent-laser-operator-z1'), server.issuer) }),
      ),
    ).toBe('invalid_grant')
  })
})
