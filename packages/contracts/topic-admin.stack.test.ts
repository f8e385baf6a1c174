import { randomUUID } from 'node:crypto'
import kafkajs, { type Admin } from 'kafkajs'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { stackForTests } from '../../test/stack.ts'
import { applyTopics, planTopics } from './topic-admin.ts'
import type { TopicDeclaration, Topology } from './topics.ts'

describe('topics.yaml and the broker', () => {
  const name = `drift-${randomUUID()}`
  let admin: Admin
  beforeAll(async () => {
    const { stack } = await stackForTests()
    admin = new kafkajs.Kafka({ brokers: [stack.kafka], logLevel: kafkajs.logLevel.NOTHING }).admin()
    await admin.connect()
  })
  afterAll(async () => {
    await admin.deleteTopics({ topics: [name] })
    await admin.disconnect()
  })

  const topologyOf = (change: Partial<TopicDeclaration> = {}): Topology => ({
    replicationFactor: 1,
    topics: new Map([
      [
        name,
        {
          name,
          key: 'job',
          partitions: 3,
          record: 'Ack',
          retention: '7d',
          writers: [],
          readers: [],
          maxMessageBytes: 100_000,
          ...change,
        } as TopicDeclaration,
      ],
    ]),
  })
  const plan = async (topology: Topology) => (await planTopics(admin, topology)).filter(({ topic }) => topic === name)

  it('show a topic that is not there, and apply makes it', async () => {
    expect(await plan(topologyOf())).toEqual([{ kind: 'create', topic: name, partitions: 3 }])
    // kafkajs takes a leader that is not there yet for an error; the topic is made all the same.
    await applyTopics(admin, topologyOf()).catch(() => {})
    await vi.waitFor(async () => expect(await plan(topologyOf())).toEqual([]), { timeout: 10_000, interval: 100 })
  })

  it('show another retention and size, and apply changes them', async () => {
    const changed = topologyOf({ retention: '14d', maxMessageBytes: 200_000 })
    expect(await plan(changed)).toEqual([
      { kind: 'config', topic: name, name: 'max.message.bytes', from: '100000', to: '200000' },
      { kind: 'config', topic: name, name: 'retention.ms', from: '604800000', to: '1209600000' },
    ])
    await applyTopics(admin, changed)
    await vi.waitFor(async () => expect(await plan(changed)).toEqual([]), { timeout: 10_000, interval: 100 })
    expect(await plan(topologyOf())).toHaveLength(2)
  })

  it('are not made the same where partitions differ: keys would move, so nothing is changed', async () => {
    const more = topologyOf({ partitions: 6, retention: '1d' })
    expect(await plan(more)).toContainEqual({ kind: 'partitions', topic: name, from: 3, to: 6 })
    await expect(applyTopics(admin, more)).rejects.toMatchObject({ code: 'topic-partitions-differ', retriable: false })
    expect(await plan(topologyOf({ retention: '14d', maxMessageBytes: 200_000 }))).toEqual([])
  })
})
