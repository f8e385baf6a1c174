import { type DeadLetter, type Intent, partitionOf, type RecordName, type Records, readTopology } from '@interlock/contracts'
import { buildIntent, createFixture, type Fixture } from '@interlock/sdk/fixture'
import { beforeAll, expect, test } from 'vitest'
import type { OutgoingRecord } from '../kafka-port.ts'
import type { Processor } from '../processor.ts'
import { Broker } from '../simulation/broker.ts'
import { Faults } from '../simulation/faults.ts'
import { Instance } from '../simulation/instance.ts'
import { Random } from '../simulation/random.ts'
import { Scheduler } from '../simulation/scheduler.ts'
import { SimulatedKafka } from '../simulation/simulated-kafka.ts'
import { Outage } from './outage.ts'
import { ServiceRunner } from './service-runner.ts'

const topology = readTopology()
const key = Buffer.from('job-1')
const partition = partitionOf('job-1', 6)
let fixture: Fixture
let intent: Intent

beforeAll(async () => {
  fixture = await createFixture(Date.now())
  intent = await buildIntent(fixture)
})

/** Answers each intent with an outcome, as long and as faulty as the capability says. */
const echo: Processor<string[]> = {
  name: 'echo',
  inputs: ['intents'],
  outputs: ['outcomes'],
  memories: [],
  broadcasts: [],
  tables: [],
  horizonMs: 3_600_000,
  remember: () => [],
  observe: () => true,
  async react(_memory, { position, record, key: job }) {
    const { intentId, jobId, device, capability } = record as Intent
    const eventId = `echo:${position.topic}:${position.partition}:${position.offset}`
    const detail = 'x'.repeat(capability === 'long' ? 2_000_000 : 2)
    const decidedAt = capability === 'unencodable' ? 'never' : 0
    const outcome = { eventId, intentId, jobId, device, status: 'denied', stage: 'echo', reasons: [], detail, decidedAt }
    return [{ topic: 'outcomes', key: job, record: outcome as unknown as Records[RecordName] }]
  },
  forget: () => {},
}

/** What one service on a kind broker makes of records in a partition: how many it answered, and its dead letters. */
async function meet(records: readonly { key: Buffer | null; value: Buffer | null }[]) {
  const random = new Random(1)
  const scheduler = new Scheduler(random)
  const faults = new Faults(random)
  faults.end()
  const broker = new Broker(scheduler, random)
  for (const [name, { partitions }] of topology.topics) broker.addTopic(name, partitions)
  const instance = new Instance('instance-1', scheduler, random, faults)
  const parked: string[] = []
  const runner = new ServiceRunner({
    name: 'echo',
    processors: [echo],
    topology,
    codec: fixture.codec,
    kafka: new SimulatedKafka(broker, instance),
    // Whole milliseconds, as clocks have it and records can hold.
    clock: { now: () => Math.floor(instance.now()), sleep: (ms) => instance.sleep(ms) },
    outage: new Outage(() => {}),
    observer: { answered: () => {}, parked: (_topic, reason) => parked.push(reason), restored: () => {}, diverged: () => {} },
    verifyEntry: () => ({ ok: false, reason: 'none', detail: {} }),
    random: () => random.bytes(32),
    uniqueName: () => 'only',
  })
  const running = runner.run()
  for (const record of records) broker.append({ topic: 'intents', partition, ...record } as OutgoingRecord)
  const isAnswered = () => broker.log('outcomes', partition).length + letters().length >= records.length
  const letters = () =>
    broker.partitions('deadletters').flatMap((log) =>
      log.map(({ value }) => {
        const read = fixture.codec.decode('deadletters', value as Buffer, 'DeadLetter')
        if (!read.ok) throw new Error(read.reason)
        return read.value satisfies DeadLetter
      }),
    )
  expect(await scheduler.runUntil(isAnswered, 20_000)).toBe(true)
  void runner.stop()
  let isStopped = false
  void running.then(() => {
    isStopped = true
  })
  expect(await scheduler.runUntil(() => isStopped, 5000)).toBe(true)
  const committed = broker.group('echo').committed(['intents']).get('intents')?.get(partition)?.offset
  return { letters: letters(), parked, answers: broker.log('outcomes', partition).length, committed }
}

const good = () => ({ key, value: fixture.codec.encode('intents', intent) })
const otherSchema = () => {
  const value = Buffer.from(good().value)
  value.writeUInt32BE(9999, 1)
  return { key, value }
}

test.each([
  ['bytes that are no record', 'frame-magic', () => ({ key, value: Buffer.from('no record') })],
  ['too few bytes', 'frame-truncated', () => ({ key, value: Buffer.alloc(2) })],
  ['a schema that is not pinned to the topic', 'schema-not-allowed', otherSchema],
  ['a tombstone', 'tombstone', () => ({ key, value: null })],
  ['no key', 'key-missing', () => ({ ...good(), key: null })],
  ['an empty key', 'key-missing', () => ({ ...good(), key: Buffer.alloc(0) })],
  ['a record larger than the topic takes', 'too-large', () => ({ key, value: Buffer.alloc(1_048_577) })],
  [
    'an input whose answer would be too large',
    'answer-too-large',
    () => ({ key, value: fixture.codec.encode('intents', { ...intent, capability: 'long' }) }),
  ],
  [
    'an input whose answer does not fit its schema',
    'answer-unencodable',
    () => ({ key, value: fixture.codec.encode('intents', { ...intent, capability: 'unencodable' }) }),
  ],
] as const)('%s is parked with its bytes (%s), and the partition goes on', async (_what, reason, make) => {
  const bad = make()
  const { letters, parked, answers, committed } = await meet([good(), bad, good()])
  expect(answers).toBe(2)
  expect(parked).toContain(reason)
  expect(letters).toHaveLength(1)
  expect(letters[0]).toMatchObject({
    eventId: `echo:intents:${partition}:1`,
    consumer: 'echo',
    topic: 'intents',
    partition,
    offset: 1,
    reason,
  })
  expect(letters[0]?.value).toEqual(bad.value)
  expect(letters[0]?.key).toEqual(bad.key)
  expect(committed).toBe(3)
})
