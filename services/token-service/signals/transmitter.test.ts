import type { RevocationEntry } from '@interlock/contracts'
import { createFixture, createTables, type Fixture, type FixtureTables } from '@interlock/sdk/fixture'
import { agentSpiffeId, definitionHash } from '@interlock/sdk/trust-domain'
import { createRemoteJWKSet, jwtVerify } from 'jose'
import { afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { accountDisabled, credentialChange, sessionRevoked, verification } from './event-types.ts'
import { pushStream } from './push.ts'
import { waitingMax } from './stream.ts'
import {
  receiversOf,
  secretOf,
  startTestReceiver,
  startTestTransmitter,
  type TestReceiver,
  type TestTransmitter,
} from './test-transmitter.ts'

const laser = agentSpiffeId('laser-operator', 'z1')

let fixture: Fixture
let tables: FixtureTables
let transmitter: TestTransmitter
beforeAll(async () => {
  fixture = await createFixture(Date.now())
  tables = await createTables(fixture, { attestationKey: 'AA', pcrs: [0], pcrDigest: 'A'.repeat(43) })
})
beforeEach(async () => {
  transmitter = await startTestTransmitter(fixture, receiversOf([{ id: 'siem' }, { id: 'idp', events: [accountDisabled] }]))
})
afterEach(() => transmitter.stop())

const servicesOf: Partial<Record<RevocationEntry['kind'], string>> = {
  token: 'service-token',
  job: 'service-token',
  certificate: 'service-registry',
}
/** By who may: a service where it is one's own to revoke, an operator otherwise. */
const revoke = (kind: RevocationEntry['kind'], subject: string, change = {}) => {
  const value = { kind, subject, from: fixture.now, reason: 'test' }
  const by = fixture.key(servicesOf[kind] ?? 'operator-dev')
  return transmitter.enter('control.revocations', `${kind}:${subject}`, value, { by, ...change })
}

async function send(path: string, { id = 'siem', secret = secretOf(id), method = 'POST', body = {} as unknown } = {}) {
  const response = await fetch(`${transmitter.issuer}${path}`, {
    method,
    headers: { authorization: `Bearer ${secret}`, 'content-type': 'application/json' },
    ...(method === 'POST' && { body: JSON.stringify(body) }),
  })
  const text = await response.text()
  return { status: response.status, json: text === '' ? undefined : JSON.parse(text) }
}
type Answer = { readonly sets: Record<string, string>; readonly moreAvailable: boolean }
const poll = async (body: object = {}, id = 'siem'): Promise<Answer> =>
  (await send('/signals/poll', { id, body: { returnImmediately: true, ...body } })).json

type Payload = {
  readonly jti: string
  readonly txn?: string
  readonly sub_id: Record<string, unknown>
  readonly events: Record<string, Record<string, unknown>>
}
/** As a receiver that knows nothing of us but where the metadata is. */
async function verified(text: string, audience = 'https://siem.example'): Promise<Payload> {
  const metadata = (await (await fetch(`${transmitter.issuer}/.well-known/ssf-configuration`)).json()) as {
    issuer: string
    jwks_uri: string
  }
  const keys = createRemoteJWKSet(new URL(metadata.jwks_uri))
  const { payload } = await jwtVerify(text, keys, { issuer: metadata.issuer, audience, typ: 'secevent+jwt' })
  expect(Object.keys(payload)).not.toContain('exp')
  expect(Object.keys(payload)).not.toContain('sub')
  return payload as unknown as Payload
}
const only = async (): Promise<Payload> => {
  const texts = Object.values((await poll()).sets)
  expect(texts).toHaveLength(1)
  return verified(texts[0] ?? '')
}

describe('what a receiver is told', () => {
  it('is found by the metadata that SSF 1.0 has, and of its own stream alone', async () => {
    const { issuer } = transmitter
    const metadata = await (await fetch(`${issuer}/.well-known/ssf-configuration`)).json()
    expect(metadata).toMatchObject({ spec_version: '1_0', issuer, default_subjects: 'ALL' })
    expect((await send('/signals/streams', { method: 'GET', id: 'idp' })).json).toMatchObject([
      { stream_id: 'idp', iss: issuer, aud: 'https://idp.example', events_delivered: [accountDisabled] },
    ])
    expect((await send('/signals/streams?stream_id=idp', { method: 'GET' })).status).toBe(404)
    expect((await send('/signals/status?stream_id=siem', { method: 'GET' })).json).toEqual({
      stream_id: 'siem',
      status: 'enabled',
    })
    expect((await send('/signals/streams', { body: {} })).status).toBe(403)
    expect((await send('/signals/status', { body: { stream_id: 'siem', status: 'disabled' } })).status).toBe(403)
  })

  it.each<[RevocationEntry['kind'], string, string, object]>([
    ['agent', laser, sessionRevoked, { format: 'uri', uri: laser }],
    ['token', 'spiffe://a/service/token j1', sessionRevoked, { format: 'jwt_id', iss: 'spiffe://a/service/token', jti: 'j1' }],
    ['job', 'job-1', sessionRevoked, { format: 'complex', session: { format: 'opaque', id: 'job-1' } }],
    ['standing-grant', 'D'.repeat(43), sessionRevoked, { format: 'complex', session: { format: 'opaque', id: 'D'.repeat(43) } }],
    ['definition', 'A'.repeat(43), sessionRevoked, { format: 'complex', application: { id: 'A'.repeat(43) } }],
    ['certificate', 'B'.repeat(43), credentialChange, { format: 'opaque', id: 'B'.repeat(43) }],
    ['enforcer-key', 'C'.repeat(43), credentialChange, { format: 'opaque', id: 'C'.repeat(43) }],
    ['human', 'alice', accountDisabled, { format: 'iss_sub', sub: 'alice' }],
    [
      'device',
      'laser-1',
      'https://schemas.openid.net/secevent/caep/event-type/device-compliance-change',
      { format: 'complex', device: { format: 'uri', uri: 'spiffe://lab.interlock.example/device/laser-1' } },
    ],
  ])('of a revoked %s', async (kind, subject, type, identifier) => {
    await revoke(kind, subject)
    const told = await only()
    expect(told).toMatchObject({ txn: `${kind}:${subject}`, sub_id: identifier })
    expect(Object.keys(told.events)).toEqual([type])
    if (type !== accountDisabled)
      expect(told.events[type]).toMatchObject({
        event_timestamp: Math.floor(fixture.now / 1000),
        initiating_entity: servicesOf[kind] ? 'system' : 'admin',
        reason_admin: { en: 'test' },
      })
  })

  it('says whether an operator did it', async () => {
    await revoke('job', 'job-1', { by: fixture.key('operator-dev') })
    expect((await only()).events[sessionRevoked]).toMatchObject({ initiating_entity: 'admin' })
  })

  it.each([
    ['suspended', sessionRevoked, {}],
    ['retired', sessionRevoked, {}],
    ['lapsed', 'https://schemas.openid.net/secevent/caep/event-type/assurance-level-change', { current_level: 'software' }],
  ])('of an agent that is %s', async (state, type, payload) => {
    const id = `instance:${laser}`
    await transmitter.enter('control.agents', id, { ...tables['control.agents'].get(id), state })
    const told = await only()
    expect(told).toMatchObject({ txn: id, sub_id: { format: 'uri', uri: laser } })
    expect(told.events[type]).toMatchObject(payload)
  })

  it('of a definition, a human and a device that stopped to count, and of none that does', async () => {
    const agents = ['definition:laser-operator', 'human:bob']
    for (const id of agents) await transmitter.enter('control.agents', id, tables['control.agents'].get(id))
    await transmitter.enter('control.devices', 'laser-1', tables['control.devices'].get('laser-1'))
    expect((await poll()).sets).toEqual({})
    const newer = { revision: fixture.now + 1 }
    for (const id of agents)
      await transmitter.enter('control.agents', id, { ...tables['control.agents'].get(id), state: 'suspended' }, newer)
    await transmitter.enter('control.devices', 'laser-1', { ...tables['control.devices'].get('laser-1'), state: 'lapsed' }, newer)
    const told = await Promise.all(Object.values((await poll()).sets).map((text) => verified(text)))
    expect(told.map(({ sub_id }) => sub_id)).toMatchObject([
      { application: { id: definitionHash('laser-operator') } },
      { format: 'iss_sub', sub: 'bob' },
      { device: { uri: 'spiffe://lab.interlock.example/device/laser-1' } },
    ])
  })

  it('is only what it wants', async () => {
    await revoke('job', 'job-1')
    await revoke('human', 'alice')
    const [text = ''] = Object.values((await poll({}, 'idp')).sets)
    expect((await verified(text, 'https://idp.example')).txn).toBe('human:alice')
    expect(Object.keys((await poll()).sets)).toHaveLength(2)
  })

  it('is nothing that no registry, token service or operator signed, nor an old entry written again', async () => {
    await revoke('job', 'job-1', { by: fixture.key('device-dispatch') })
    expect((await poll()).sets).toEqual({})
    const id = `instance:${laser}`
    const suspended = { ...tables['control.agents'].get(id), state: 'suspended' }
    const old = await transmitter.enter('control.agents', id, suspended)
    await poll({ ack: Object.keys((await poll()).sets) })
    await transmitter.enter('control.agents', id, tables['control.agents'].get(id), { revision: fixture.now + 1 })
    await transmitter.read(transmitter.streams[0] as never, 'control.agents', 9, old)
    expect((await poll()).sets).toEqual({})
  })
})

describe('a receiver polls (RFC 8936)', () => {
  it('until it acknowledges: what was not acknowledged comes again', async () => {
    await revoke('job', 'job-1')
    const first = await poll()
    expect(await poll()).toEqual(first)
    expect((await poll({ ack: Object.keys(first.sets) })).sets).toEqual({})
  })

  it('for so many at once, oldest first, and is told that there is more', async () => {
    for (const job of ['job-1', 'job-2', 'job-3']) await revoke('job', job)
    expect(await poll({ maxEvents: 0 })).toEqual({ sets: {}, moreAvailable: true })
    const two = await poll({ maxEvents: 2 })
    expect(two.moreAvailable).toBe(true)
    const told = await Promise.all(Object.values(two.sets).map((text) => verified(text)))
    expect(told.map(({ txn }) => txn)).toEqual(['job:job-1', 'job:job-2'])
    const rest = await poll({ ack: Object.keys(two.sets) })
    expect([Object.keys(rest.sets).length, rest.moreAvailable]).toEqual([1, false])
  })

  it('and says what it cannot use, which does not come again and is told to an operator', async () => {
    await revoke('job', 'job-1')
    const [jti = ''] = Object.keys((await poll()).sets)
    const setErrs = { [jti]: { err: 'invalid_key', description: 'unknown' }, unknown: { err: 'x' } }
    expect((await poll({ setErrs })).sets).toEqual({})
    expect(transmitter.said).toEqual(['refused siem invalid_key'])
  })

  it('and waits until there is something, where it does not want an answer at once', async () => {
    const waiting = poll({ returnImmediately: false })
    await new Promise((resolve) => setTimeout(resolve, 100))
    await revoke('job', 'job-1')
    expect(Object.keys((await waiting).sets)).toHaveLength(1)
  })

  it('with one poll that waits: a newer one answers the one before', async () => {
    const before = poll({ returnImmediately: false })
    await new Promise((resolve) => setTimeout(resolve, 100))
    const after = poll({ returnImmediately: false })
    expect((await before).sets).toEqual({})
    await revoke('job', 'job-1')
    expect(Object.keys((await after).sets)).toHaveLength(1)
  })

  it.each<[string, Parameters<typeof send>[1]]>([
    ['without the secret', { secret: 'wrong' }],
    ['with a secret that only begins right', { secret: secretOf('siem').slice(0, -1) }],
    ['with the digest of the secret', { secret: receiversOf([{ id: 'siem' }])[0]?.secretSha256 ?? '' }],
  ])('not %s', async (_how, how) => {
    await revoke('job', 'job-1')
    for (const path of ['/signals/poll', '/signals/verification', '/signals/streams', '/signals/status'])
      expect(await send(path, how)).toEqual({ status: 401, json: { err: 'authentication_failed' } })
  })

  it('and gets nothing for what is no poll, or too large', async () => {
    expect((await send('/signals/poll', { body: { ack: 'x' } })).status).toBe(400)
    expect((await send('/signals/poll', { body: { ack: Array.from({ length: 1001 }, () => 'x') } })).status).toBe(400)
    expect((await send('/signals/poll', { body: { ack: ['x'.repeat(200_000)] } })).status).toBe(413)
  })
})

describe('nothing is lost', () => {
  it('over a restart: an entry has the same jti whenever it is told, and another for another receiver', async () => {
    const bytes = await revoke('human', 'alice')
    const [before] = Object.keys((await poll()).sets)
    expect(Object.keys((await poll({}, 'idp')).sets)).not.toEqual([before])
    transmitter.stop()
    transmitter = await startTestTransmitter(fixture, receiversOf([{ id: 'siem' }]))
    await transmitter.read(transmitter.streams[0] as never, 'control.revocations', 0, bytes)
    expect(Object.keys((await poll()).sets)).toEqual([before])
  })

  it('by an acknowledgement of a later one: a restart reads from the first that was not acknowledged', async () => {
    const stream = transmitter.streams[0]
    for (const job of ['job-1', 'job-2', 'job-3']) await revoke('job', job)
    const ids = Object.keys((await poll()).sets)
    expect(stream?.positions().get('control.revocations')).toBe(0)
    await poll({ ack: ids.slice(1) })
    expect(stream?.positions().get('control.revocations')).toBe(0)
    await poll({ ack: ids })
    expect(stream?.positions().get('control.revocations')).toBe(3)
  })

  it('nor told twice where Kafka hands the partition out anew', async () => {
    const bytes = await revoke('job', 'job-1')
    await poll({ ack: Object.keys((await poll()).sets) })
    await transmitter.read(transmitter.streams[0] as never, 'control.revocations', 0, bytes)
    expect((await poll()).sets).toEqual({})
  })

  it('and no queue grows beyond its bound: the rest waits where it lies', async () => {
    const stream = transmitter.streams[0]
    for (let at = 0; at < waitingMax; at++) stream?.add({ jti: String(at), text: 'x' })
    expect(stream?.isFull).toBe(true)
    expect((await send('/signals/verification', { body: { stream_id: 'siem' } })).status).toBe(429)
    expect(Object.keys((await poll({ maxEvents: 5000 })).sets)).toHaveLength(100)
  })
})

describe('a receiver asks whether its stream works (SSF 1.0 §8.1.4)', () => {
  it('and gets an event with what it sent along, at most every few seconds', async () => {
    const body = { stream_id: 'siem', state: 'VGhpcyBpcyBh' }
    expect((await send('/signals/verification', { body })).status).toBe(204)
    const told = await only()
    expect(told.events).toEqual({ [verification]: { state: 'VGhpcyBpcyBh' } })
    expect(told.sub_id).toEqual({ format: 'opaque', id: 'siem' })
    expect((await send('/signals/verification', { body })).status).toBe(429)
    transmitter.pass(6000)
    expect((await send('/signals/verification', { body })).status).toBe(204)
  })

  it('of its own alone', async () => {
    expect((await send('/signals/verification', { body: { stream_id: 'idp' } })).status).toBe(404)
    expect((await send('/signals/verification', { body: {} })).status).toBe(400)
  })
})

describe('a receiver is pushed to (RFC 8935)', () => {
  let receiver: TestReceiver
  let stopping: AbortController
  let pushing: Promise<void>
  let answer: Parameters<typeof startTestReceiver>[0]
  beforeEach(async () => {
    stopping = new AbortController()
    answer = (_text, response) => response.writeHead(202).end()
    receiver = await startTestReceiver((text, response) => answer(text, response))
    transmitter.stop()
    const push = { id: 'idp', delivery: { method: 'push', url: receiver.url, authorizationFile: '/secret' } }
    transmitter = await startTestTransmitter(fixture, receiversOf([push, { id: 'siem' }]))
    const [stream] = transmitter.streams
    const delivery = stream?.receiver.delivery
    if (!stream || delivery?.method !== 'push') throw new Error('no push')
    pushing = pushStream(stream, delivery, transmitter.events, stopping.signal)
  })
  afterEach(async () => {
    stopping.abort()
    await pushing
    receiver.stop()
  })
  const delivered = (count: number) => vi.waitFor(() => expect(receiver.received).toHaveLength(count), { timeout: 20_000 })

  it('with each event once, in order, as its media type, by the header that it expects', async () => {
    for (const job of ['job-1', 'job-2']) await revoke('job', job)
    await delivered(2)
    const told = await Promise.all(receiver.received.map((text) => verified(text, 'https://idp.example')))
    expect(told.map(({ txn }) => txn)).toEqual(['job:job-1', 'job:job-2'])
    expect(receiver.requests[0]?.headers).toMatchObject({
      'content-type': 'application/secevent+jwt',
      accept: 'application/json',
      authorization: 'Bearer push-secret',
    })
    expect(transmitter.streams[0]?.size).toBe(0)
    expect((await send('/signals/poll', { id: 'idp' })).status).toBe(404)
  })

  it('again and again where it fails, which is said once, and once when it works', async () => {
    const statuses = [500, 429, 401]
    answer = (_text, response) => response.writeHead(statuses.shift() ?? 202).end('x'.repeat(10_000))
    await revoke('job', 'job-1')
    await delivered(4)
    expect(new Set(receiver.received).size).toBe(1)
    await vi.waitFor(() => expect(transmitter.said).toEqual(['failing idp status 500', 'delivering idp']))
  })

  it('not again with what it says it cannot use; what comes after arrives', async () => {
    const errors = ['invalid_audience']
    answer = (_text, response) => {
      const err = errors.shift()
      if (err) response.writeHead(400, { 'content-type': 'application/json' }).end(JSON.stringify({ err }))
      else response.writeHead(202).end()
    }
    for (const job of ['job-1', 'job-2']) await revoke('job', job)
    await delivered(2)
    expect(transmitter.said).toEqual(['refused idp invalid_audience'])
  })

  it('attack 127: nowhere else than where the settings say, whatever it answers', async () => {
    const other = await startTestReceiver((_text, response) => response.writeHead(202).end())
    try {
      let isFirst = true
      answer = (_text, response) => {
        response.writeHead(isFirst ? 307 : 202, { location: other.url }).end()
        isFirst = false
      }
      await revoke('job', 'job-1')
      await delivered(2)
      expect(other.received).toEqual([])
    } finally {
      other.stop()
    }
  })
})
