import type { Grant } from '@interlock/contracts'
import { signAgentAssertion, TokenClient } from '@interlock/sdk'
import { describe, expect, it } from 'vitest'
import { tokensOfJobMax } from './issue.ts'
import {
  actorToken,
  child,
  claimsOf,
  key,
  laser,
  laserGrants,
  madeUp,
  mill,
  reasonOf,
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

  it('attack 46: goes to nobody who is in the chain already', async () => {
    const first = await root({ mayDelegateTo: [laser, mill] })
    const second = await child(first, { mayDelegateTo: [laser, mill] })
    const client = await TokenClient.open(server.issuer, key('agent-laser-operator-z1'))
    expect(await reasonOf(client.exchange({ token: second, actorToken: await actorToken() }))).toBe('invalid_target')
  })

  it('is issued a thousand times for one job, not more', async () => {
    const first = await root({ job: 'job-many' })
    for (let count = 1; count < tokensOfJobMax; count += 1) server.issued.add(madeUp(first, count), Date.now())
    expect(await reasonOf(child(first))).toBe('temporarily_unavailable')
    expect(await reasonOf(child(await root()))).toBe('done')
  })

  it('attack 49: goes to nobody whom its parent does not name', async () => {
    const first = await root({ mayDelegateTo: [mill] })
    expect(await reasonOf(child(first))).toBe('invalid_target')
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
        child(first, { actorToken: await signAgentAssertion(stranger.key('agent-laser-operator-z1'), server.issuer, 'actor') }),
      ),
    ).toBe('invalid_grant')
  })

  it('is not given by an assertion that the sub-agent made as a client', async () => {
    const asClient = await signAgentAssertion(key('agent-laser-operator-z1'), server.issuer, 'client')
    expect(await reasonOf(child(await root(), { actorToken: asClient }))).toBe('invalid_grant')
    expect(server.causes.at(-1)).toBe('header')
  })
})
