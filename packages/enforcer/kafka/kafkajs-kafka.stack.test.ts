import { randomBytes, randomUUID } from 'node:crypto'
import { setTimeout as wait } from 'node:timers/promises'
import { eventId, partitionOf, type Topology } from '@interlock/contracts'
import { readExpectedOffset } from '@interlock/contracts/expected-offset'
import type kafkajs from 'kafkajs'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { stackForTests } from '../../../test/stack.ts'
import type { Incoming, Processor } from '../processor.ts'
import { Outage } from '../runner/outage.ts'
import { ServiceRunner } from '../runner/service-runner.ts'
import { codec, type Fact, factOf, outgoing, writeOf } from '../simulation/facts.ts'
import { connectKafka } from './connect.ts'
import { KafkajsKafka } from './kafkajs-kafka.ts'

type Answer = Fact & { readonly number: number }
type Logged = { readonly offset: number; readonly expectedOffset: number | undefined; readonly answer: Answer }

const partitions = 4
const id = randomUUID()
const [asks, answers] = [`asks-${id}`, `answers-${id}`]
const topology: Topology = {
  replicationFactor: 1,
  topics: new Map(
    [asks, answers].map((name) => [
      name,
      { name, key: 'job', partitions, record: 'Intent', retention: '1d', writers: [], readers: [], maxMessageBytes: 100_000 },
    ]),
  ),
}

/** Numbers the asks of each partition: a number that is missing or comes twice shows a memory that was not the log's. */
const numbering: Processor<{ next: number }> = {
  name: `numbering-${id.slice(0, 8)}`,
  inputs: [asks],
  outputs: [answers],
  memories: [],
  broadcasts: [],
  tables: [],
  horizonMs: 3_600_000,
  remember: () => ({ next: 0 }),
  observe(memory, incoming: Incoming) {
    if (incoming.position.topic === answers) memory.next = factOf<Answer>(incoming).number + 1
    return true
  },
  react: async ({ next }, { position, key }) => [
    writeOf(answers, key, { eventId: eventId(numbering.name, position), number: next } as Answer),
  ],
  forget: () => {},
}

describe('the runner on a real broker', () => {
  let client: kafkajs.Kafka
  let admin: kafkajs.Admin
  let producer: kafkajs.Producer
  const running: { readonly runner: ServiceRunner; readonly kafka: KafkajsKafka }[] = []
  const diverged: string[] = []
  let asked = 0

  beforeAll(async () => {
    client = connectKafka('test', [(await stackForTests()).stack.kafka], () => {})
    admin = client.admin()
    producer = client.producer()
    await Promise.all([admin.connect(), producer.connect()])
    await admin.createTopics({
      topics: [asks, answers].map((topic) => ({ topic, numPartitions: partitions })),
      // kafkajs takes a leader that is not there yet for an error.
      waitForLeaders: false,
    })
    const isThere = () => Promise.all([asks, answers].map((topic) => admin.fetchTopicOffsets(topic)))
    while (!(await isThere().catch(() => false))) await wait(100)
  })
  afterAll(async () => {
    for (const { runner, kafka } of running) await runner.stop().then(() => kafka.close())
    await admin.deleteTopics({ topics: [asks, answers] })
    await Promise.all([admin.disconnect(), producer.disconnect()])
  })

  function start() {
    const kafka = new KafkajsKafka(client, topology)
    const runner = new ServiceRunner({
      name: numbering.name,
      processors: [numbering],
      topology,
      codec,
      kafka,
      clock: { now: () => Date.now(), sleep: (ms) => wait(ms) },
      outage: new Outage(() => {}),
      observer: { answered: () => {}, parked: () => {}, restored: () => {}, diverged: (_partition, why) => diverged.push(why) },
      verifyEntry: () => ({ ok: false, reason: 'none', detail: {} }),
      random: () => randomBytes(32),
      uniqueName: () => randomUUID(),
    })
    const ended = runner.run()
    running.push({ runner, kafka })
    return { runner, ended }
  }

  async function ask(count: number): Promise<void> {
    const messages = Array.from({ length: count }, () => {
      asked += 1
      const key = `job-${asked}`
      return { key, value: outgoing(asks, 0, key, {}).value, partition: partitionOf(key, partitions) }
    })
    await producer.send({ topic: asks, messages })
  }

  async function logs(): Promise<readonly (readonly Logged[])[]> {
    const ends = await admin.fetchTopicOffsets(answers)
    const left = new Map(ends.filter(({ high }) => high !== '0').map(({ partition, high }) => [partition, Number(high)]))
    const read: Logged[][] = Array.from({ length: partitions }, () => [])
    const consumer = client.consumer({ groupId: `reader-${randomUUID()}`, minBytes: 1, maxWaitTimeInMs: 50 })
    await consumer.connect()
    await consumer.subscribe({ topics: [answers], fromBeginning: true })
    const done = Promise.withResolvers<void>()
    if (left.size === 0) done.resolve()
    await consumer.run({
      autoCommit: false,
      eachMessage: async ({ partition, message }) => {
        const answer = JSON.parse(message.value?.toString() ?? '{}') as Answer
        read[partition]?.push({ offset: Number(message.offset), expectedOffset: readExpectedOffset(message.headers), answer })
        if (Number(message.offset) + 1 >= (left.get(partition) ?? 0)) left.delete(partition)
        if (left.size === 0) done.resolve()
      },
    })
    await done.promise
    await consumer.disconnect()
    return read
  }

  /** All that was asked is answered once, by a memory that held all answers before. */
  async function untilAnswered(): Promise<void> {
    let counted: readonly (readonly Logged[])[] = []
    do {
      await wait(200)
      counted = (await logs()).map((log) => log.filter(({ offset, expectedOffset }) => offset === expectedOffset))
    } while (counted.flat().length < asked)
    expect(counted.flat()).toHaveLength(asked)
    expect(new Set(counted.flat().map(({ answer }) => answer.eventId)).size).toBe(asked)
    for (const log of counted) expect(log.map(({ answer }) => answer.number)).toEqual(log.map((_, index) => index))
  }

  const membersOf = async () => (await admin.describeGroups([numbering.name])).groups[0]?.members.length

  test('one instance answers all partitions, each answer where it expected it', async () => {
    await ask(40)
    const one = start()
    await one.runner.whenReady()
    await untilAnswered()
    expect(diverged).toEqual([])
  })

  test('a second one takes half of them, restores their memory, and gives them back when it leaves', async () => {
    const two = start()
    await ask(20)
    await two.runner.whenReady()
    while ((await membersOf()) !== 2) await wait(100)
    await ask(40)
    await untilAnswered()
    await two.runner.stop()
    await two.ended
    await ask(40)
    await untilAnswered()
  })

  test('a stranger’s record between its answers costs a restored memory, and no answer', async () => {
    const fact = JSON.stringify({ eventId: `stranger:${asks}:0:0`, number: 7 })
    await Promise.all([
      ask(40),
      // It says that it was to lie elsewhere, as a late write of an instance that lost its partition does.
      producer.send({
        topic: answers,
        messages: [{ key: 'job-1', value: fact, partition: 0, headers: { 'interlock-offset': '0' } }],
      }),
      ask(40),
    ])
    await untilAnswered()
  })

  test('the port says where logs begin and end, what came since a time, and what was committed', async () => {
    const [{ kafka } = running[0] as (typeof running)[0]] = running
    const ranges = await kafka.ranges(asks)
    const ends = await admin.fetchTopicOffsets(asks)
    expect([...ranges].map(([partition, { high }]) => [partition, high]).sort()).toEqual(
      ends.map(({ partition, high }) => [partition, Number(high)]).sort(),
    )
    const none = await kafka.offsetsAt(asks, Date.now() + 60_000)
    expect([...none].every(([partition, offset]) => offset === ranges.get(partition)?.high)).toBe(true)
    expect([...(await kafka.offsetsAt(asks, 1)).values()]).toEqual([0, 0, 0, 0])
    await expect
      .poll(async () => {
        const committed = (await kafka.committed(numbering.name, [asks])).get(asks)
        return [...ranges].every(([partition, { high }]) => (committed?.get(partition)?.offset ?? 0) === high)
      })
      .toBe(true)
    expect((await kafka.committed(`nobody-${id}`, [asks])).get(asks)?.size).toBe(0)
  })
})
