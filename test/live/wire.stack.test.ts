import { type Decision, type IntentId, type JobId, stageNames } from '@interlock/contracts'
import { quantity } from '@interlock/sdk'
import { buildIntent, buildOrder, createFixture } from '@interlock/sdk/fixture'
import registry, { SchemaType } from '@kafkajs/confluent-schema-registry'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enterLive, type Live } from './live-system.ts'

/** Part 7 of ATTACKS.md against the running system: real broker, real registry, the five services, two devices. */
describe('Kafka, Avro, wire', () => {
  let live: Live
  beforeAll(async () => {
    live = await enterLive([...stageNames, 'outcomes'])
  })
  afterAll(() => live.leave())

  const frame = (id: number, body: string) => {
    const bytes = Buffer.alloc(5 + body.length / 2)
    bytes.writeInt32BE(id, 1)
    Buffer.from(body, 'hex').copy(bytes, 5)
    return bytes
  }
  const idOf = (topic: string) => live.ids.get(topic)?.at(-1) as number

  async function intentBytes(): Promise<Buffer> {
    return live.world.codec.encode('intents', await live.world.laserCut())
  }

  /** Whoever wrote it, and whatever it was: the original bytes lie in `deadletters`, and the next intent of the partition is carried out. */
  async function expectParked(
    value: Buffer | null,
    reason: string | RegExp,
    key: Buffer | null = Buffer.from(live.world.job.jobId),
  ) {
    const partition = live.world.partitionOf(live.world.job.jobId)
    const offset = await live.writeBytes('intents', partition, key, value)
    const letter = await live.deadLetters.of({ consumer: 'identity-verify', topic: 'intents', partition, offset })
    expect(letter?.reason).toMatch(reason)
    expect(letter?.value).toEqual(value)
    expect(letter?.key).toEqual(key)
    await expectCarriedOut()
  }

  async function expectCarriedOut(): Promise<void> {
    const intent = await live.world.laserCut()
    await live.world.submit(intent)
    expect(await live.outcomeOf(intent.intentId)).toMatchObject({ status: 'completed' })
  }

  describe('what cannot be read is parked whole, and the partition goes on', () => {
    const cases: [string, () => Promise<Buffer | null>, string][] = [
      [
        'attack 106: five bytes that claim 20 million items',
        async () => frame(idOf('intents'), `${'00'.repeat(5)}0080dac409`),
        'avro-too-many-items',
      ],
      ['attack 107: a string of length −1', async () => frame(idOf('intents'), '01'), 'avro-length-negative'],
      [
        'attack 107: a string of length 2^40',
        async () => frame(idOf('intents'), '808080808080 01'.replace(' ', '')),
        'avro-length-beyond-end',
      ],
      [
        'attack 107: a union branch that is not there',
        async () => frame(idOf('intents'), `${'00'.repeat(5)}0a`),
        'avro-union-index',
      ],
      ['attack 107: a truncated record', async () => (await intentBytes()).subarray(0, -1), 'avro-(truncated|length-beyond-end)'],
      [
        'attack 107: bytes after the record',
        async () => Buffer.concat([await intentBytes(), Buffer.of(0)]),
        'avro-trailing-bytes',
      ],
      [
        'attack 108: another magic byte',
        async () => Buffer.concat([Buffer.of(1), (await intentBytes()).subarray(1)]),
        'frame-magic',
      ],
      ['attack 108: a schema id that nobody registered', async () => frame(2 ** 31 - 1, '00'), 'schema-not-allowed'],
      [
        'attack 108: a schema id of another subject',
        async () => live.withSchemaId(await intentBytes(), idOf('acks')),
        'schema-not-allowed',
      ],
      ['attack 108: four bytes', async () => Buffer.from('00000001', 'hex'), 'frame-truncated'],
      ['attack 111: a tombstone', async () => null, 'tombstone'],
      [
        'attack 116: an Avro container file with snappy',
        async () => Buffer.from(`Obj\u0001\u0004\u0014avro.codec\u000csnappy`),
        'frame-magic',
      ],
    ]
    for (const [name, make, reason] of cases) it(name, async () => expectParked(await make(), new RegExp(`^${reason}$`)))

    it('attack 111: an empty key', async () => expectParked(await intentBytes(), 'key-missing', Buffer.alloc(0)))

    it('attack 109: a compatible schema of the registry that drops the tokens by a default is not one of ours', async () => {
      const client = new registry.SchemaRegistry({ host: live.stack.registry })
      const fields = ['intentId', 'jobId', 'device', 'capability', 'proof'].map((name) => ({ name, type: 'string', default: '' }))
      const schema = JSON.stringify({ type: 'record', name: 'Intent', namespace: 'interlock.v1', fields })
      const { id } = await client.register({ type: SchemaType.AVRO, schema }, { subject: 'intents-of-an-attacker-value' })
      const intent = await live.world.laserCut()
      const text = (value: string) => Buffer.concat([varint(value.length), Buffer.from(value)])
      const body = Buffer.concat([intent.intentId, intent.jobId, intent.device, intent.capability, intent.proof].map(text))
      await expectParked(frame(id, body.toString('hex')), 'schema-not-allowed')
    })
  })

  it('attack 111: a key that is not the job is refused, though the record lies where its key puts it', async () => {
    const intent = await live.world.laserCut()
    await live.world.write('intents', 'another-job' as JobId, intent)
    expect(await live.refusalOf(intent.intentId)).toEqual({ by: 'identity-verify', reason: 'wrong-key' })
  })

  it('attack 111: a record in the wrong partition is refused', async () => {
    const intent = await live.world.laserCut()
    await live.world.write('intents', intent.jobId, intent, (live.world.partitionOf(intent.jobId) + 1) % 6)
    expect(await live.refusalOf(intent.intentId)).toEqual({ by: 'identity-verify', reason: 'wrong-partition' })
  })

  it('attack 103: a decision that no stage signed is refused by the next', async () => {
    const intent = await live.world.laserCut()
    await live.world.write('decisions.identity-verify', intent.jobId, await forgedDecision(intent, 0))
    expect(await live.refusalOf(intent.intentId)).toEqual({ by: 'delegation-check', reason: 'chain-missing-statement' })
    // The forged record stands in nobody's way: the agent's own intent of that name is carried out.
    await live.world.submit(intent)
    expect(await live.outcomeOf(intent.intentId)).toMatchObject({ status: 'completed' })
    expect(live.ordersOf(intent.intentId)).toBe(1)
  })

  it('attack 104: a decision of the right form by an unknown key is refused by the next', async () => {
    const intent = await live.world.laserCut()
    await live.world.write('decisions.identity-verify', intent.jobId, await forgedDecision(intent, 1))
    expect(await live.refusalOf(intent.intentId)).toEqual({ by: 'delegation-check', reason: 'chain-unknown-key' })
    await live.quiet()
    expect(live.ordersOf(intent.intentId)).toBe(0)
  })

  it('attack 112: a second body under a known intentId is a conflict; both are on record, the first stands', async () => {
    const first = await live.world.laserCut()
    const second = await live.world.laserCut({
      intentId: first.intentId,
      parameters: { power: quantity(70, 'W'), speed: quantity(20, 'mm/s') },
    })
    await live.world.submit(first)
    expect(await live.outcomeOf(first.intentId)).toMatchObject({ status: 'completed' })
    await live.world.submit(second)
    expect(await live.refusalOf(first.intentId)).toEqual({ by: 'identity-verify', reason: 'conflicting-intent' })
    await live.quiet()
    expect(live.outcomesOf(first.intentId)).toEqual(['completed'])
    expect(live.ordersOf(first.intentId)).toBe(1)
  })

  it('attack 113: the same intent a thousand times, in one batch and on three partitions, is carried out once', async () => {
    const intent = await live.world.laserCut()
    const value = live.world.codec.encode('intents', intent)
    const home = live.world.partitionOf(intent.jobId)
    await live.world.submit(intent)
    await live.writeMany(
      'intents',
      home,
      Buffer.from(intent.jobId),
      Array.from({ length: 997 }, () => value),
    )
    for (const partition of [(home + 1) % 6, (home + 2) % 6])
      await live.writeBytes('intents', partition, Buffer.from(intent.jobId), value)
    expect(await live.outcomeOf(intent.intentId)).toMatchObject({ status: 'completed' })
    await live.quiet()
    expect(live.outcomesOf(intent.intentId)).toEqual(['completed'])
    expect(live.ordersOf(intent.intentId)).toBe(1)
    expect(live.executionsOf(intent.intentId)).toBe(1)
  })

  it('attack 114: a sender’s timestamp of 1970 or 2100 changes nothing: the topics take the broker’s', async () => {
    for (const timestamp of ['0', String(Date.UTC(2100, 0))]) {
      const intent = await live.world.laserCut()
      const value = live.world.codec.encode('intents', intent)
      await live.writeBytes('intents', live.world.partitionOf(intent.jobId), Buffer.from(intent.jobId), value, timestamp)
      expect(await live.outcomeOf(intent.intentId)).toMatchObject({ status: 'completed' })
    }
  })

  it('attack 117: nobody can fence a stage out by its transactional id: the stages use none', async () => {
    const producer = live.kafka.producer({ transactionalId: 'identity-verify', idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    await (await producer.transaction()).abort()
    await producer.disconnect()
    await expectCarriedOut()
  })

  it('attack 118: a transaction that is never committed holds nothing back', async () => {
    const producer = live.kafka.producer({ transactionalId: 'an-attacker', idempotent: true, maxInFlightRequests: 1 })
    await producer.connect()
    const transaction = await producer.transaction()
    const key = live.world.job.jobId
    const partition = live.world.partitionOf(key)
    await transaction.send({ topic: 'intents', messages: [{ key, partition, value: Buffer.from('never committed') }] })
    await expectCarriedOut()
    await transaction.abort()
    await producer.disconnect()
  })

  /** A decision record as a forger makes it, with so many statements signed in a trust domain of their own. */
  async function forgedDecision(intent: Awaited<ReturnType<typeof live.world.laserCut>>, statements: number): Promise<Decision> {
    const forger = await createFixture(Date.now())
    const order = await buildOrder(forger, { intent: { ...(await buildIntent(forger)), ...intent } })
    return {
      eventId: `identity-verify:intents:${live.world.partitionOf(intent.jobId)}:4711` as Decision['eventId'],
      stage: 'identity-verify',
      intentId: intent.intentId as IntentId,
      jobId: intent.jobId,
      human: 'alice',
      agent: '',
      definition: '',
      owner: '',
      device: intent.device,
      capability: intent.capability,
      verdict: 'ALLOW',
      reasons: [],
      detail: '{}',
      risk: '',
      policy: '',
      commandDigest: '' as Decision['commandDigest'],
      decidedAt: Date.now(),
      expiresAt: Date.now() + 60_000,
      intent: live.world.codec.encode('intents', intent),
      approvals: [],
      statements: order.statements.slice(0, statements),
    }
  }
})

/** Avro's zigzag number. */
function varint(length: number): Buffer {
  const bytes: number[] = []
  let left = length * 2
  for (; left > 127; left = Math.floor(left / 128)) bytes.push((left % 128) | 128)
  return Buffer.from([...bytes, left])
}
