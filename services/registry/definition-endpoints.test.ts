import { randomUUID } from 'node:crypto'
import type { AgentDefinition } from '@interlock/contracts'
import { type DefinitionChange, orderDefinition, readDefinition } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { definitionHash } from '@interlock/sdk/trust-domain'
import { type DefinitionOrder, definitionHashOf, type SigningKey, signDefinitionOrder, standingOf } from '@interlock/trust'
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { reasonOf, startTestRegistry, type TestRegistry } from './test-registry.ts'

const text: AgentDefinition['definition'] = {
  modelDigest: 'sha256:0001',
  systemPrompt: 'You weld.',
  toolManifest: ['interlock.submit'],
  version: '1.0.0',
}
const welder = { name: 'welder', definition: text, owner: 'alice', state: 'active' } as const

let fixture: Fixture
let server: TestRegistry
beforeAll(async () => {
  fixture = await createFixture(Date.now())
})
beforeEach(async () => {
  server = await startTestRegistry(fixture, [])
})
afterEach(() => server.close())

const order = (change: DefinitionChange, operator: SigningKey = fixture.key('operator-dev')) =>
  orderDefinition(server.url, change, { operator, audience: fixture.domain.bundle.audience })
async function send(claims: Partial<DefinitionOrder>, by = fixture.key('operator-dev'), definition: object = text) {
  const iat = Math.floor(Date.now() / 1000)
  const base = { iss: by.spiffeId, aud: fixture.domain.bundle.audience, jti: randomUUID(), iat, exp: iat + 300, previous: '' }
  const whole = { ...base, name: 'welder', hash: definitionHashOf(text), owner: 'alice', state: 'active' as const, ...claims }
  return post(await signDefinitionOrder(whole, by), definition)
}
async function post(signed: string, definition?: object): Promise<unknown> {
  const body = JSON.stringify({ order: signed, definition })
  const headers = { 'content-type': 'application/json' }
  return (await fetch(`${server.url}/definitions`, { method: 'POST', body, headers })).json()
}
const state = () => (server.agents.get('definition:welder') as AgentDefinition | undefined)?.state

describe('a definition', () => {
  it('is registered by its hash, with the human who answers for it', async () => {
    expect(await order(welder)).toEqual({ name: 'welder', hash: definitionHashOf(text), owner: 'alice', state: 'active' })
    expect(server.agents.get('definition:welder')).toMatchObject({ definition: text, owner: 'alice' })
    expect(await readDefinition(server.url, 'welder')).not.toHaveProperty('definition')
  })

  it('is another one with any change, and what was certified for the old one names it no longer', async () => {
    const changed = { ...text, systemPrompt: 'You weld whatever you are asked to.' }
    await order(welder)
    const { hash } = await order({ ...welder, definition: changed })
    expect(hash).not.toBe(definitionHashOf(text))
    expect(server.agents.get('definition:welder')).toMatchObject({ hash })
  })

  it.each<[string, Partial<AgentDefinition['definition']>]>([
    ['model', { modelDigest: 'sha256:0002' }],
    ['prompt', { systemPrompt: 'You weld. ' }],
    ['tools', { toolManifest: ['interlock.submit', 'shell'] }],
    ['version', { version: '1.0.1' }],
    ['sub-agents', { subAgents: ['welder'] }],
  ])('is another one with another %s', (_what, change) => {
    expect(definitionHashOf({ ...text, ...change })).not.toBe(definitionHashOf(text))
  })

  it('goes from draft to active, is suspended and comes back, and is retired for good', async () => {
    await order({ ...welder, state: 'draft' })
    for (const next of ['active', 'suspended', 'active', 'retired'] as const) {
      await order({ name: 'welder', state: next })
      expect(state()).toBe(next)
    }
    expect(await reasonOf(order({ name: 'welder', state: 'active' }))).toBe('state-not-allowed')
  })

  it('is not suspended before it was active, nor a draft again after', async () => {
    await order({ ...welder, state: 'draft' })
    expect(await reasonOf(order({ name: 'welder', state: 'suspended' }))).toBe('state-not-allowed')
    await order({ name: 'welder', state: 'active' })
    expect(await reasonOf(order({ name: 'welder', state: 'draft' }))).toBe('state-not-allowed')
  })

  it('has an owner who is there', async () => {
    expect(await reasonOf(order({ ...welder, owner: 'nobody' }))).toBe('owner-unknown')
    server.revocations.set('human:alice', { kind: 'human', subject: 'alice', from: 1, reason: 'test' })
    expect(await reasonOf(order(welder))).toBe('owner-unknown')
  })

  it('that was revoked is not registered again', async () => {
    const hash = definitionHashOf(text)
    server.revocations.set(`definition:${hash}`, { kind: 'definition', subject: hash, from: 1, reason: 'test' })
    expect(await reasonOf(order(welder))).toBe('revoked')
  })

  it('is ordered by an operator alone', async () =>
    expect(await reasonOf(order(welder, fixture.key('service-token')))).toBe('order-signer'))

  it('attack 158: is not ordered by a key that was revoked', async () => {
    const subject = fixture.key('operator-dev').keyId
    const revocation = { kind: 'enforcer-key' as const, subject, from: Date.now() - 1, reason: 'stolen' }
    server.revocations.set(`enforcer-key:${subject}`, revocation)
    expect(await reasonOf(order(welder))).toBe('order-revoked-key')
    expect(state()).toBeUndefined()
  })

  it('is the text that the order’s hash names', async () =>
    expect(await send({}, undefined, { ...text, version: '2' })).toEqual({ error: 'definition-text' }))

  it.each<[string, Partial<DefinitionOrder>, string]>([
    ['for another system', { aud: 'other' }, 'order-audience'],
    ['that is over', { iat: 1000, exp: 1300 }, 'order-expired'],
    ['that lasts a day', { exp: Math.floor(Date.now() / 1000) + 86_400 }, 'order-validity-too-long'],
  ])('is not ordered by an order %s', async (_what, claims, reason) => expect(await send(claims)).toEqual({ error: reason }))

  it('is not ordered over something else than the operator saw', async () => {
    await order(welder)
    expect(await send({ state: 'suspended' })).toEqual({ error: 'definition-changed' })
    expect(state()).toBe('active')
  })

  it('is not ordered twice by one order, even where all is as it was again', async () => {
    await order(welder)
    const present = standingOf(await readDefinition(server.url, 'welder'))
    const by = fixture.key('operator-dev')
    const iat = Math.floor(Date.now() / 1000)
    const claims = { iss: by.spiffeId, aud: fixture.domain.bundle.audience, jti: randomUUID(), iat, exp: iat + 300 }
    const suspend = await signDefinitionOrder(
      { ...claims, name: 'welder', hash: definitionHashOf(text), owner: 'alice', state: 'suspended', previous: present },
      by,
    )
    expect(await post(suspend)).toMatchObject({ state: 'suspended' })
    await order({ name: 'welder', state: 'active' })
    expect(await post(suspend)).toEqual({ error: 'order-replayed' })
  })

  it('of two operators at once one is heard', async () => {
    const both = await Promise.all([send({}), send({ state: 'draft' })])
    expect(both).toContainEqual({ error: expect.stringMatching(/^(order-pending|definition-changed)$/) })
    expect(both).toContainEqual(expect.objectContaining({ name: 'welder' }))
  })

  it('is as it was where it cannot be recorded', async () => {
    server.isLogAway = true
    expect(await reasonOf(order(welder))).toBe('internal-error')
    server.isLogAway = false
    expect(await reasonOf(order(welder))).toBe('done')
  })
})

it('a name in the laboratory is registered as it was', async () =>
  expect(await readDefinition(server.url, 'laser-operator')).toMatchObject({ hash: definitionHash('laser-operator') }))
