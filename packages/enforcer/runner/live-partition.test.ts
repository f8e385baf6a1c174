import type { Topology } from '@interlock/contracts'
import { describe, expect, test } from 'vitest'
import type { Commit, LogRecord, OutgoingRecord } from '../kafka-port.ts'
import type { Processor } from '../processor.ts'
import { codec, type Fact, outgoing, readFact, writeOf } from '../simulation/facts.ts'
import { topicRoles } from './co-partition.ts'
import { LivePartition } from './live-partition.ts'
import { PartitionMemory } from './partition-memory.ts'
import type { SessionParts } from './session.ts'

type Memory = { isOpen: boolean }

/** Something that was asked before we came expires, unless an input says otherwise first. */
const expiring: Processor<Memory> = {
  name: 'router',
  inputs: ['approvals'],
  outputs: ['verdicts'],
  memories: [],
  broadcasts: [],
  tables: [],
  horizonMs: 1000,
  remember: () => ({ isOpen: true }),
  observe(memory, { position }) {
    if (position.topic === 'verdicts') memory.isOpen = false
    return true
  },
  react: async ({ isOpen }, { key, position }) => [
    writeOf('verdicts', key, { eventId: `router:approvals:0:${position.offset}`, verdict: isOpen ? 'ALLOW' : 'LATE' } as Fact),
  ],
  due: ({ isOpen }) => (isOpen ? [{ position: { topic: 'verdicts', partition: 0, offset: 3 }, intentId: 'one' }] : []),
  expire: async () => [writeOf('verdicts', 'job-1', { eventId: 'router:verdicts:0:3', verdict: 'EXPIRED' } as Fact)],
  forget: () => {},
}

const topology: Topology = {
  replicationFactor: 1,
  topics: new Map(
    ['approvals', 'verdicts'].map((name) => [
      name,
      { name, key: 'job', partitions: 1, record: 'Approval', retention: '1d', writers: [], readers: [], maxMessageBytes: 10_000 },
    ]),
  ),
}

/** One partition of which `high` inputs lay there when we came, none committed; its own output ends at 5. */
function tried(high: number) {
  const log: OutgoingRecord[] = []
  const commits: Commit[] = []
  const roles = topicRoles(expiring, topology)
  const parts: SessionParts<Memory> = {
    processor: expiring,
    roles,
    topology,
    codec,
    clock: { now: () => 50_000, sleep: async () => {} },
    observer: { answered: () => {}, parked: () => {}, restored: () => {}, diverged: () => {} },
    partition: 0,
    plan: new Map([
      ['approvals', { from: 0, end: 0, high }],
      ['verdicts', { from: 0, end: 5, high: 5 }],
    ]),
    writer: {
      send: async (records) => records.map((record) => 4 + log.push(record)),
      close: async () => {},
    },
    unwritable: new Map(),
    context: () => ({ now: 50_000, tables: {} as never, random: () => Buffer.alloc(32), partitions: 1 }),
    pause: () => {},
    resume: () => {},
    commit: (commit) => commits.push(commit),
    endsOfLogs: async () => new Map(),
    onDiverged: () => {},
    onError: () => {},
    onRestored: () => {},
  }
  const memory = new PartitionMemory(expiring, 0, new Map([['approvals', 0]]))
  const next = new Map([
    ['approvals', 0],
    ['verdicts', 5],
  ])
  const live = new LivePartition(
    parts,
    memory,
    next,
    () => {},
    (error) => {
      throw error
    },
  )
  const approval = (offset: number): LogRecord => ({
    ...outgoing('approvals', 0, 'job-1', {}),
    offset,
    appendedAt: 40_000,
    expectedOffset: undefined,
  })
  const take = (offset: number) => live.turn([{ topic: 'approvals', records: [approval(offset)], next: offset + 1 }], true)
  const verdicts = () => log.map((record) => readFact<{ verdict: string }>(record as LogRecord).verdict)
  return { live, take, verdicts, commits, log }
}

describe('a partition that is ours again', () => {
  test('lets nothing expire before all inputs are read that lay there: silence counts only when all is read that was said', async () => {
    const { live, take, verdicts } = tried(1)
    await live.turn([], true)
    expect(verdicts()).toEqual([])
    await take(0)
    expect(verdicts()).toEqual(['ALLOW'])
  })

  test('lets it expire when nothing was said', async () => {
    const { live, verdicts } = tried(0)
    await live.turn([], true)
    await live.turn([], true)
    expect(verdicts()).toEqual(['EXPIRED'])
  })

  test('commits nothing before what had expired is answered, and then all that is', async () => {
    const { take, commits, verdicts } = tried(2)
    await take(0)
    expect(commits).toEqual([])
    await take(1)
    expect(verdicts()).toEqual(['ALLOW', 'LATE'])
    expect(commits).toEqual([{ topic: 'approvals', partition: 0, offset: 2, metadata: 'appendedAt=40000' }])
  })

  test('says with each answer where it must lie', async () => {
    const { take, log } = tried(2)
    await take(0)
    await take(1)
    expect(log.map(({ expectedOffset }) => expectedOffset)).toEqual([5, 6])
  })
})
