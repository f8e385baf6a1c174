import { randomUUID } from 'node:crypto'
import { ClickHouseLogLevel, createClient } from '@clickhouse/client'
import { type Codec, createCodec, type DeadLetter, type EventId, readTopology } from '@interlock/contracts'
import { fetchSchemaIds } from '@interlock/contracts/registry'
import kafkajs from 'kafkajs'
import { beforeAll, describe, expect, it } from 'vitest'
import { stackForTests } from '../../test/stack.ts'
import { clickHouseUrl, type Stack, type UserName } from './stack.ts'

const kafkaOf = (stack: Stack) => new kafkajs.Kafka({ brokers: [stack.kafka], logLevel: kafkajs.logLevel.NOTHING })

async function write(stack: Stack, codec: Codec, letter: DeadLetter): Promise<void> {
  const producer = kafkaOf(stack).producer({ createPartitioner: kafkajs.Partitioners.DefaultPartitioner })
  await producer.connect()
  await producer.send({ topic: 'deadletters', acks: -1, messages: [{ value: codec.encode('deadletters', letter) }] })
  await producer.disconnect()
}

async function read(stack: Stack, codec: Codec, eventId: string): Promise<DeadLetter> {
  const consumer = kafkaOf(stack).consumer({ groupId: `test-${randomUUID()}` })
  const found = Promise.withResolvers<DeadLetter>()
  await consumer.connect()
  await consumer.subscribe({ topic: 'deadletters', fromBeginning: true })
  await consumer.run({
    eachMessage: async ({ message }) => {
      const decoded = codec.decode('deadletters', message.value ?? Buffer.alloc(0), 'DeadLetter')
      if (decoded.ok && decoded.value.eventId === eventId) found.resolve(decoded.value)
    },
  })
  return found.promise.finally(() => consumer.disconnect())
}

async function ask(stack: Stack, user: UserName, query: string): Promise<string> {
  const log = { level: ClickHouseLogLevel.OFF }
  await using client = createClient({ url: clickHouseUrl(stack.clickhouse, user), log })
  return (await (await client.query({ query, format: 'TabSeparated' })).text()).trim()
}

/** What an HTTP request is answered, sent as nobody's client would. */
async function answerTo(stack: Stack, query: string, search: string, headers: Record<string, string> = {}): Promise<string> {
  const response = await fetch(`${stack.clickhouse.url}/${search}`, { method: 'POST', body: query, headers })
  return `${response.status} ${await response.text()}`
}

const basic = (username: string, password: string) => `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`

describe('the local stack', () => {
  let stack: Stack
  let codec: Codec
  beforeAll(async () => {
    stack = (await stackForTests()).stack
    const topology = readTopology()
    codec = createCodec({ topology, ids: await fetchSchemaIds(stack.registry, topology) })
  })

  it('has every topic of topics.yaml and no other', async () => {
    const admin = kafkaOf(stack).admin()
    await admin.connect()
    const topics = (await admin.listTopics()).filter((name) => !name.startsWith('__'))
    await admin.disconnect()
    expect(topics).toEqual(expect.arrayContaining([...readTopology().topics.keys()]))
  })

  it('carries a record with the schema of the registry, and still has it after the broker was killed', async () => {
    const letter = deadLetter()
    await write(stack, codec, letter)
    expect(await read(stack, codec, letter.eventId)).toEqual(letter)
    await stack.killBroker()
    await stack.startBroker()
    expect(await read(stack, codec, letter.eventId)).toEqual(letter)
  })

  it('knows the same schema ids after the registry was killed', async () => {
    const before = await fetchSchemaIds(stack.registry, readTopology())
    await stack.killRegistry()
    await stack.startRegistry()
    expect(await fetchSchemaIds(stack.registry, readTopology())).toEqual(before)
  })

  it('keeps rows over a kill of ClickHouse', async () => {
    const database = `interlock_${randomUUID().replaceAll('-', '')}`
    const admin = async (query: string) => {
      await using client = createClient({ url: clickHouseUrl(stack.clickhouse, 'admin') })
      await client.command({ query })
    }
    await admin(`CREATE DATABASE ${database}`)
    await admin(`CREATE TABLE ${database}.kept (value String) ENGINE = MergeTree ORDER BY value`)
    await admin(`INSERT INTO ${database}.kept VALUES ('there')`)
    await stack.killClickHouse()
    await stack.startClickHouse()
    expect(await ask(stack, 'reader', `SELECT value FROM ${database}.kept`)).toBe('there')
    await admin(`DROP DATABASE ${database}`)
  })

  it('lets audit fill the tables and nothing else, and the reader only read', async () => {
    await expect(ask(stack, 'audit', 'DROP TABLE intents')).rejects.toThrow('Not enough privileges')
    await expect(ask(stack, 'audit', "SELECT * FROM file('/etc/hostname', 'LineAsString')")).rejects.toThrow(
      'Not enough privileges',
    )
    expect(await ask(stack, 'audit', 'SELECT count() >= 0 FROM intents')).toBe('1')
    await expect(ask(stack, 'reader', "INSERT INTO intents (intent_id) VALUES ('x')")).rejects.toThrow('Not enough privileges')
    expect(await ask(stack, 'reader', 'SELECT count() >= 0 FROM actions_timeline')).toBe('1')
  })

  it('lets nobody in who does not say in a header who he is, and keeps the user without a password out', async () => {
    const query = 'SELECT currentUser()'
    expect(await answerTo(stack, query, '')).toMatch(/^404/)
    expect(await answerTo(stack, query, '?user=default')).toMatch(/^404/)
    expect(await answerTo(stack, query, '', { authorization: basic('default', '') })).toMatch(/^404/)
    expect(await answerTo(stack, query, '', { 'x-clickhouse-user': 'default' })).toMatch(/^404/)
    expect(await answerTo(stack, query, '', { authorization: basic('admin', 'guess') })).toMatch(/^403/)
  })

  // A name in the URL counts more than one in the headers.
  it('gives the user without a password nothing to read', async () => {
    const headers = { authorization: basic('admin', 'guess') }
    const asDefault = (query: string) => answerTo(stack, query, '?user=default', headers)
    expect(await asDefault("SELECT * FROM file('/etc/hostname', 'LineAsString')")).toContain('Not enough privileges')
    expect(await asDefault('SELECT * FROM interlock.intents')).toContain('Not enough privileges')
    expect(await asDefault('CREATE TABLE interlock.mine (a Int8) ENGINE = Memory')).toContain('Not enough privileges')
  })
})

function deadLetter(): DeadLetter {
  const eventId = `test:${randomUUID()}:0:0` as EventId
  return {
    eventId,
    consumer: 'test',
    topic: 'intents',
    partition: 0,
    offset: 0,
    reason: 'undecodable',
    detail: '',
    key: null,
    value: Buffer.from('as it came'),
    recordedAt: Date.now(),
  }
}
