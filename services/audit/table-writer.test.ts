import { describe, expect, it } from 'vitest'
import { simulate, type World } from './table-writer.simulation.ts'
import { type Message, type Offsets, type Store, TableWriter, type TopicPartition } from './table-writer.ts'

const seeds = Array.from({ length: 1500 }, (_, seed) => seed)
const wrongSeeds = async (world: Omit<World, 'seed'>) => {
  const results = []
  for (const seed of seeds) {
    const { appended, stored } = await simulate({ seed, ...world })
    if (appended.join() !== stored.join()) results.push(seed)
  }
  return results
}

describe('a table writer, simulated', () => {
  it('stores each record exactly once when nothing goes wrong', async () => {
    expect(await wrongSeeds({ faults: false })).toEqual([])
  })

  it('stores each record exactly once over lost answers, crashes, zombies and inserts that arrive late', async () => {
    expect(await wrongSeeds({ faults: true })).toEqual([])
  }, 120_000)

  it('doubles records when ClickHouse does not know the token', async () => {
    expect((await wrongSeeds({ faults: true, deduplicates: false })).length).toBeGreaterThan(0)
  }, 120_000)

  it('doubles records when the batch is not written down before the insert', async () => {
    expect((await wrongSeeds({ faults: true, keepsIntents: false })).length).toBeGreaterThan(0)
  }, 120_000)

  it('doubles or loses records when a zombie may commit', async () => {
    expect((await wrongSeeds({ faults: true, fences: false })).length).toBeGreaterThan(0)
  }, 120_000)
})

const zero: TopicPartition = { topic: 'intents', partition: 0 }
const one: TopicPartition = { topic: 'intents', partition: 1 }
const message = (offset: number): Message => ({
  offset,
  key: Buffer.alloc(0),
  value: Buffer.from('x'),
  recordTime: 0,
  isInPlace: true,
})

/** A writer on offsets and a store that do as they are told, with what happened. */
function bench(group: Record<number, { offset: number; metadata?: string }>, oldest = 0, rowsMax = 100, stored?: number) {
  const events: string[] = []
  const offsets: Offsets = {
    read: async (of) =>
      of.map((tp) => ({ ...tp, offset: group[tp.partition]?.offset, metadata: group[tp.partition]?.metadata ?? '' })),
    oldest: async (of) => of.map((tp) => ({ ...tp, offset: oldest })),
    commit: async (commits) =>
      void events.push(
        `commit ${commits.map((c) => `${c.partition}@${c.offset}${c.metadata ? ` ${c.metadata}` : ''}`).join(' ')}`,
      ),
    seek: ({ partition, offset }) => void events.push(`seek ${partition}@${offset}`),
  }
  const store: Store = {
    insert: async (batch, records, isReplay) => {
      events.push(
        `insert ${batch.at}${isReplay ? ' replay' : ''} ${records.map((r) => `${r.partition}:${r.message.offset}`).join(' ')}`,
      )
    },
    next: async (of) => of.map((tp) => ({ ...tp, offset: stored })),
  }
  const onLost = (range: { partition: number; first: number; last: number }) =>
    void events.push(`lost ${range.partition}:${range.first}-${range.last}`)
  return { events, writer: new TableWriter({ partitions: [one, zero], offsets, store, now: () => 77, rowsMax, onLost }) }
}

describe('a table writer', () => {
  it('writes the batch down before it inserts, and moves the offsets on after', async () => {
    const { events, writer } = bench({ 0: { offset: 5 }, 1: { offset: 2 } })
    await writer.accept({ ...zero, messages: [message(5)], last: 5 })
    events.length = 0
    const handled = await Promise.all([
      writer.accept({ ...one, messages: [message(2), message(3)], last: 3 }),
      writer.accept({ ...zero, messages: [message(5)], last: 5 }),
    ])
    expect(handled).toEqual([3, 5])
    expect(events).toEqual([
      'commit 0@5 i1 77 intents:0=5-5,1=2-3',
      'insert 77 0:5 1:2 1:3',
      'commit 0@6 i1 77 intents:0=5-5,1=2-3 1@4',
    ])
  })

  it('takes nothing before it knows where it stands', async () => {
    const { events, writer } = bench({ 0: { offset: 5 }, 1: { offset: 2 } })
    expect(await writer.accept({ ...zero, messages: [message(9)], last: 9 })).toBeUndefined()
    expect(events).toEqual(['seek 0@5', 'seek 1@2'])
  })

  it('finishes exactly the batch that was left half done, in however many fetches it comes', async () => {
    const { events, writer } = bench({ 0: { offset: 5, metadata: 'i1 11 intents:0=5-6,1=2-3' }, 1: { offset: 4 } })
    await writer.accept({ ...zero, messages: [], last: 4 })
    expect(await writer.accept({ ...zero, messages: [message(5)], last: 5 })).toBe(5)
    // Partition 1 was committed already; its part of the batch is read again all the same.
    expect(
      await Promise.all([
        writer.accept({ ...zero, messages: [message(6), message(7)], last: 7 }),
        writer.accept({ ...one, messages: [message(2), message(3)], last: 3 }),
      ]),
    ).toEqual([6, 3])
    expect(events).toEqual([
      'seek 0@5',
      'seek 1@2',
      'insert 11 replay 0:5 0:6 1:2 1:3',
      'commit 0@7 i1 11 intents:0=5-6,1=2-3 1@4',
    ])
  })

  it('does not repeat a batch that every partition has passed', async () => {
    const { events, writer } = bench({ 0: { offset: 7, metadata: 'i1 11 intents:0=5-6,1=2-3' }, 1: { offset: 4 } })
    await writer.accept({ ...zero, messages: [], last: 6 })
    await writer.accept({ ...zero, messages: [message(7)], last: 7 })
    expect(events.slice(2)[0]).toBe('commit 0@7 i1 77 intents:0=7-7')
  })

  it('begins after what lies in the table where the group has forgotten its offsets', async () => {
    const { events, writer } = bench({}, 0, 100, 42)
    await writer.accept({ ...zero, messages: [], last: 0 })
    expect(events).toEqual(['seek 0@42', 'seek 1@42'])
  })

  it('says which records retention removed before they were stored, and goes on', async () => {
    const { events, writer } = bench({ 0: { offset: 5 }, 1: { offset: 30 } }, 20)
    await writer.accept({ ...zero, messages: [], last: 0 })
    expect(events).toEqual(['lost 0:5-19', 'seek 0@20', 'seek 1@30'])
  })

  it('cuts what is too large for one insert into several', async () => {
    const { events, writer } = bench({ 0: { offset: 0 }, 1: { offset: 0 } }, 0, 2)
    await writer.accept({ ...zero, messages: [], last: 0 })
    await Promise.all([
      writer.accept({ ...zero, messages: [message(0), message(1)], last: 1 }),
      writer.accept({ ...one, messages: [message(0), message(1)], last: 1 }),
    ])
    expect(events.filter((event) => event.startsWith('insert'))).toEqual(['insert 77 0:0 0:1', 'insert 77 1:0 1:1'])
  })
})
