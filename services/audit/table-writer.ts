import { type Batch, intentBytesMax, type Range, readIntent, writeIntent } from './batch.ts'

export type TopicPartition = { readonly topic: string; readonly partition: number }
export type Message = {
  readonly offset: number
  readonly key: Buffer
  readonly value: Buffer | null
  readonly recordTime: number
  /** Whether it lies at the offset that its writer named, if it named one. */
  readonly isInPlace: boolean
}
/** What was fetched of one partition; `last` is the last offset of the fetch, at or after the last message's (compaction leaves gaps). */
export type Fetched = TopicPartition & { readonly messages: readonly Message[]; readonly last: number }
export type Located = TopicPartition & { readonly message: Message }
export type Committed = TopicPartition & { readonly offset: number; readonly metadata: string }

/** The consumer group's offsets. A commit is tried once, and fails where the group has gone on without this instance: that fences a zombie. */
export type Offsets = {
  read(
    of: readonly TopicPartition[],
  ): Promise<readonly (TopicPartition & { readonly offset: number | undefined; readonly metadata: string })[]>
  /** Oldest offset that the topic still holds. */
  oldest(of: readonly TopicPartition[]): Promise<readonly (TopicPartition & { readonly offset: number })[]>
  commit(offsets: readonly Committed[]): Promise<void>
  /** The next fetch of the partition begins there. */
  seek(to: TopicPartition & { readonly offset: number }): void
}

export type Store = {
  /** Inserts the records of the batch; given the same batch and records again it changes nothing. Waits while ClickHouse is away. */
  insert(batch: Batch, records: readonly Located[], isReplay: boolean, signal: AbortSignal): Promise<void>
  /** Offset after the last row stored of each partition; undefined where there is none. */
  next(of: readonly TopicPartition[]): Promise<readonly (TopicPartition & { readonly offset: number | undefined })[]>
}

export type WriterParts = {
  readonly partitions: readonly TopicPartition[]
  readonly offsets: Offsets
  readonly store: Store
  readonly now: () => number
  readonly rowsMax: number
  /** Told of records that Kafka's retention removed before they were stored. */
  readonly onLost: (range: Range) => void
}

/** Thrown to whoever waits when the group was re-joined or the service stops: nothing was lost, the batch is replayed. */
export class AbandonedError extends Error {
  readonly code = 'batch-abandoned'
  readonly retriable = true
}

type Waiting = {
  readonly fetched: Fetched
  readonly resolve: (handled: number | undefined) => void
  readonly reject: (error: unknown) => void
}
type Replay = { readonly batch: Batch; readonly open: Map<string, Range>; readonly records: Located[] }
/** One life of the writer between two joins of the group. */
type Era = {
  readonly abort: AbortController
  readonly positions: Map<string, number>
  replay: Replay | undefined
  isRecovered: boolean
}

const keyOf = ({ topic, partition }: TopicPartition) => `${topic}:${partition}`
const inOrder = (one: TopicPartition, other: TopicPartition) =>
  one.topic < other.topic ? -1 : one.topic > other.topic ? 1 : one.partition - other.partition

/**
 * Carries the records of all partitions of one table into it, each exactly once. All of them belong to one instance at a time
 * (assigner.ts), so one insert can take what came in from many. The batch is committed as metadata of the anchor (the
 * table's first partition) before the insert, the offsets after it; what a predecessor began is finished first.
 */
export class TableWriter {
  readonly #partitions: readonly TopicPartition[]
  readonly #offsets: Offsets
  readonly #store: Store
  readonly #now: () => number
  readonly #rowsMax: number
  readonly #onLost: (range: Range) => void
  #era: Era
  #waiting: Waiting[] = []
  #isFlushing = false

  constructor(parts: WriterParts) {
    this.#partitions = parts.partitions.toSorted(inOrder)
    this.#offsets = parts.offsets
    this.#store = parts.store
    this.#now = parts.now
    this.#rowsMax = parts.rowsMax
    this.#onLost = parts.onLost
    this.#era = newEra()
  }

  /** The group was joined anew, or a commit's fate is unknown: forget everything and begin with what the offsets say. */
  reset(): void {
    this.#era.abort.abort()
    this.#era = newEra()
  }

  /** Takes what was fetched. Resolves to the last offset that is now stored; undefined where it is to be fetched again. */
  accept(fetched: Fetched): Promise<number | undefined> {
    const handled = new Promise<number | undefined>((resolve, reject) => this.#waiting.push({ fetched, resolve, reject }))
    // All partitions of one fetch are handed over in one turn of the event loop: they share an insert.
    if (!this.#isFlushing) setImmediate(() => this.#flush())
    return handled
  }

  async #flush(): Promise<void> {
    if (this.#isFlushing) return
    this.#isFlushing = true
    while (this.#waiting.length > 0) {
      const era = this.#era
      const taken = this.#waiting.splice(0)
      try {
        if (!era.isRecovered) await this.#recover(era, taken)
        else if (era.replay) await this.#replay(era, era.replay, taken)
        else await this.#write(era, taken)
      } catch (error) {
        // Whether the offsets were committed is not known: only reading them back tells.
        if (era === this.#era) this.reset()
        for (const waiting of taken) waiting.reject(error)
      }
    }
    this.#isFlushing = false
  }

  /** Learns where each partition stands and whether a batch was left half done. What was fetched meanwhile is fetched again. */
  async #recover(era: Era, taken: readonly Waiting[]): Promise<void> {
    const [committed, oldest] = await Promise.all([this.#offsets.read(this.#partitions), this.#offsets.oldest(this.#partitions)])
    const unknown = committed.filter(({ offset }) => offset === undefined)
    // The group's offsets expire when nobody consumed for a week: what lies in the table is not taken again.
    const stored = unknown.length > 0 ? await this.#store.next(unknown) : []
    assertCurrent(era)
    for (const partition of this.#partitions) {
      era.positions.set(
        keyOf(partition),
        offsetIn(committed, partition) ?? offsetIn(stored, partition) ?? offsetIn(oldest, partition) ?? 0,
      )
    }
    const left = readIntent(committed.find((one) => keyOf(one) === keyOf(this.#anchor))?.metadata ?? '')
    if (left.ok && left.value.ranges.some((range) => this.#position(era, range) <= range.last)) beginReplay(era, left.value)
    for (const partition of this.#partitions) this.#skipRemoved(era, partition, offsetIn(oldest, partition) ?? 0)
    for (const partition of this.#partitions) this.#offsets.seek({ ...partition, offset: this.#position(era, partition) })
    era.isRecovered = true
    for (const waiting of [...taken, ...this.#waiting.splice(0)]) waiting.resolve(undefined)
  }

  /** What retention has removed cannot be read: say so and go on with what there is. */
  #skipRemoved(era: Era, of: TopicPartition, oldest: number): void {
    const first = this.#position(era, of)
    if (oldest <= first) return
    this.#onLost({ ...of, first, last: oldest - 1 })
    era.positions.set(keyOf(of), oldest)
    const range = era.replay?.open.get(keyOf(of))
    if (range && range.last < oldest) era.replay?.open.delete(keyOf(of))
  }

  async #replay(era: Era, replay: Replay, taken: readonly Waiting[]): Promise<void> {
    const handled = taken.map(({ fetched }) => {
      const range = replay.open.get(keyOf(fetched))
      if (!range) return undefined
      const position = this.#position(era, fetched)
      const messages = fetched.messages.filter(({ offset }) => offset >= position && offset <= range.last)
      replay.records.push(...messages.map((message) => ({ ...partitionOf(fetched), message })))
      const last = Math.min(fetched.last, range.last)
      era.positions.set(keyOf(fetched), last + 1)
      if (last === range.last) replay.open.delete(keyOf(fetched))
      return last
    })
    if (replay.open.size === 0) {
      await this.#finish(era, replay.batch, replay.records, true)
      era.replay = undefined
    }
    for (const [index, waiting] of taken.entries()) waiting.resolve(handled[index])
  }

  async #write(era: Era, taken: readonly Waiting[]): Promise<void> {
    const { batch, records, included } = this.#cut(era, taken)
    // What does not fit waits for the next round.
    this.#waiting.unshift(...taken.filter((waiting) => !included.includes(waiting)))
    if (batch.ranges.length > 0) {
      await this.#offsets.commit([{ ...this.#anchor, offset: this.#position(era, this.#anchor), metadata: writeIntent(batch) }])
      await this.#finish(era, batch, records, false)
    }
    for (const waiting of included) waiting.resolve(waiting.fetched.last)
  }

  #cut(era: Era, taken: readonly Waiting[]): { batch: Batch; records: Located[]; included: Waiting[] } {
    const at = this.#now()
    const ranges: Range[] = []
    const records: Located[] = []
    const included: Waiting[] = []
    for (const waiting of taken.toSorted((one, other) => inOrder(one.fetched, other.fetched))) {
      const { fetched } = waiting
      const messages = fetched.messages.filter(({ offset }) => offset >= this.#position(era, fetched))
      const [first, last] = [messages[0], messages.at(-1)]
      const range = first && last ? { ...partitionOf(fetched), first: first.offset, last: last.offset } : undefined
      const isFull = records.length > 0 && records.length + messages.length > this.#rowsMax
      if (range && (isFull || writeIntent({ at, ranges: [...ranges, range] }).length > intentBytesMax)) continue
      if (range) ranges.push(range)
      records.push(...messages.map((message) => ({ ...partitionOf(fetched), message })))
      included.push(waiting)
    }
    return { batch: { at, ranges }, records, included }
  }

  /** Inserts, then moves the offsets on. The anchor keeps the batch as metadata: it is done when every partition has passed it. */
  async #finish(era: Era, batch: Batch, records: readonly Located[], isReplay: boolean): Promise<void> {
    assertCurrent(era)
    const intent = writeIntent(batch)
    await this.#store.insert(batch, records, isReplay, era.abort.signal)
    assertCurrent(era)
    const isAnchor = (range: TopicPartition) => keyOf(range) === keyOf(this.#anchor)
    await this.#offsets.commit(
      batch.ranges.map((range) => ({ ...partitionOf(range), offset: range.last + 1, metadata: isAnchor(range) ? intent : '' })),
    )
    for (const range of batch.ranges) era.positions.set(keyOf(range), Math.max(this.#position(era, range), range.last + 1))
  }

  get #anchor(): TopicPartition {
    return this.#partitions[0] as TopicPartition
  }

  #position(era: Era, of: TopicPartition): number {
    return era.positions.get(keyOf(of)) ?? 0
  }
}

const offsetIn = (list: readonly (TopicPartition & { readonly offset: number | undefined })[], of: TopicPartition) =>
  list.find((one) => keyOf(one) === keyOf(of))?.offset

function beginReplay(era: Era, batch: Batch): void {
  for (const range of batch.ranges) era.positions.set(keyOf(range), range.first)
  era.replay = { batch, open: new Map(batch.ranges.map((range) => [keyOf(range), range])), records: [] }
}

const newEra = (): Era => ({ abort: new AbortController(), positions: new Map(), replay: undefined, isRecovered: false })
const partitionOf = ({ topic, partition }: TopicPartition): TopicPartition => ({ topic, partition })

function assertCurrent(era: Era): void {
  if (era.abort.signal.aborted)
    throw new AbandonedError('the group was joined anew: the batch is replayed by whoever owns the table now')
}
