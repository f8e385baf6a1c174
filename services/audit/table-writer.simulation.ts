import type { Batch } from './batch.ts'
import { writeIntent } from './batch.ts'
import {
  type Committed,
  type Located,
  type Message,
  type Offsets,
  type Store,
  TableWriter,
  type TopicPartition,
} from './table-writer.ts'

/** What the simulated world does wrong, each by chance; and the rules that a test switches off to see it fail. */
export type World = {
  readonly seed: number
  readonly faults: boolean
  readonly deduplicates?: boolean
  readonly keepsIntents?: boolean
  readonly fences?: boolean
}

const partitions: readonly TopicPartition[] = [
  { topic: 'one', partition: 0 },
  { topic: 'one', partition: 1 },
  { topic: 'two', partition: 0 },
]
const keyOf = ({ topic, partition }: TopicPartition) => `${topic}:${partition}`

/** Kafka's logs, the group's offsets and a table, and one writer after the other: some crash, some go on although replaced. */
export async function simulate(
  world: World,
): Promise<{ readonly appended: readonly string[]; readonly stored: readonly string[] }> {
  const random = generator(world.seed)
  const chance = (share: number) => world.faults && random() < share
  const logs = new Map(partitions.map((of) => [keyOf(of), [] as Message[]]))
  const group = new Map<string, { offset: number; metadata: string }>()
  const tokens = new Set<string>()
  const stored: string[] = []
  const late: Promise<void>[] = []
  let generation = 0
  let isFaulty = world.faults

  const pause = async () => {
    for (let turns = Math.floor(random() * 3); turns > 0; turns -= 1) await new Promise((resolve) => setImmediate(resolve))
  }
  /** Fails before or after it took effect: the caller cannot tell. */
  const unreliable = async <Value>(effect: () => Value): Promise<Value> => {
    await pause()
    if (isFaulty && chance(0.04)) throw new Error('lost on the way there')
    const value = effect()
    await pause()
    if (isFaulty && chance(0.04)) throw new Error('lost on the way back')
    return value
  }

  const join = () => {
    generation += 1
    const mine = generation
    const positions = new Map(partitions.map((of) => [keyOf(of), group.get(keyOf(of))?.offset ?? 0]))
    const offsets: Offsets = {
      read: (of) =>
        unreliable(() =>
          of.map((one) => ({ ...one, offset: group.get(keyOf(one))?.offset, metadata: group.get(keyOf(one))?.metadata ?? '' })),
        ),
      oldest: (of) => unreliable(() => of.map((one) => ({ ...one, offset: 0 }))),
      commit: (commits) => unreliable(() => commitAll(commits, mine)),
      seek: ({ offset, ...of }) => void positions.set(keyOf(of), offset),
    }
    const store: Store = {
      next: (of) => unreliable(() => of.map((one) => ({ ...one, offset: undefined }))),
      insert: async (batch, records) => {
        // A zombie's insert may arrive long after it was given up.
        if (isFaulty && chance(0.05)) late.push(arriveLate(batch, records))
        await unreliable(() => insert(batch, records))
      },
    }
    return { positions, writer: new TableWriter({ partitions, offsets, store, now: () => 1000, rowsMax: 4, onLost: () => {} }) }
  }

  const commitAll = (commits: readonly Committed[], mine: number) => {
    if (mine !== generation && world.fences !== false) throw new Error('another generation')
    for (const { offset, metadata, ...of } of commits)
      group.set(keyOf(of), { offset, metadata: world.keepsIntents === false ? '' : metadata })
  }
  const insert = (batch: Batch, records: readonly Located[]) => {
    const token = writeIntent(batch)
    if (tokens.has(token) && world.deduplicates !== false) return
    tokens.add(token)
    stored.push(...records.map(({ message, ...of }) => `${keyOf(of)}:${message.offset}`))
  }
  const arriveLate = async (batch: Batch, records: readonly Located[]) => {
    for (let turns = 0; turns < 40; turns += 1) await pause()
    insert(batch, records)
  }

  /** One fetch: every partition's records from its position, all handed over in one turn. */
  const fetch = async ({ positions, writer }: ReturnType<typeof join>) => {
    const handled = partitions.map(async (of) => {
      const from = positions.get(keyOf(of)) ?? 0
      const messages = (logs.get(keyOf(of)) ?? []).filter(({ offset }) => offset >= from).slice(0, 1 + Math.floor(random() * 4))
      const last = messages.at(-1)?.offset
      if (last === undefined) return
      const done = await writer.accept({ ...of, messages, last })
      if (done !== undefined && positions.get(keyOf(of)) === from) positions.set(keyOf(of), done + 1)
    })
    await Promise.allSettled(handled)
  }

  let member = join()
  for (let round = 0; round < 30; round += 1) {
    for (const of of partitions) if (random() < 0.6) append(logs.get(keyOf(of)) as Message[], random)
    const fetching = fetch(member)
    // The member is taken for dead in the middle of its work, and works on.
    if (chance(0.15)) {
      await pause()
      member = join()
    } else await fetching
    if (chance(0.05)) member.writer.reset()
  }
  isFaulty = false
  member = join()
  await Promise.all(late)
  for (let round = 0; round < 60; round += 1) await fetch(member)
  const appended = [...logs].flatMap(([key, messages]) => messages.map(({ offset }) => `${key}:${offset}`))
  return { appended: appended.sort(), stored: stored.sort() }
}

function append(log: Message[], random: () => number): void {
  // Compaction and transactions leave gaps.
  const offset = (log.at(-1)?.offset ?? -1) + (random() < 0.2 ? 3 : 1)
  log.push({ offset, key: Buffer.alloc(0), value: null, recordTime: 0, isInPlace: true })
}

/** mulberry32 */
function generator(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}
