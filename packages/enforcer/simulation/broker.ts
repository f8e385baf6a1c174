import type { LogRecord, OutgoingRecord } from '../kafka-port.ts'
import { Group } from './group.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** The logs and groups, as they would outlive every process. */
export class Broker {
  readonly scheduler: Scheduler
  readonly random: Random
  readonly #logs = new Map<string, LogRecord[][]>()
  readonly #groups = new Map<string, Group>()
  readonly #watchers = new Set<(record: LogRecord) => void>()
  #awayUntil = 0

  constructor(scheduler: Scheduler, random: Random) {
    this.scheduler = scheduler
    this.random = random
  }

  addTopic(name: string, partitions: number): void {
    this.#logs.set(
      name,
      Array.from({ length: partitions }, () => []),
    )
  }

  goAway(ms: number): void {
    this.#awayUntil = this.scheduler.now() + ms
  }

  get isAway(): boolean {
    return this.scheduler.now() < this.#awayUntil
  }

  get awayMs(): number {
    return Math.max(0, this.#awayUntil - this.scheduler.now())
  }

  partitions(topic: string): readonly (readonly LogRecord[])[] {
    return this.#logs.get(topic) ?? []
  }

  log(topic: string, partition: number): readonly LogRecord[] {
    return this.partitions(topic)[partition] ?? []
  }

  append(outgoing: OutgoingRecord): number {
    const { topic, partition } = outgoing
    const log = this.#logs.get(topic)?.[partition]
    if (!log) throw new Error(`the simulation has no ${topic}/${partition}`)
    const record = { expectedOffset: undefined, ...outgoing, offset: log.length, appendedAt: this.scheduler.now() }
    log.push(record)
    for (const watch of this.#watchers) watch(record)
    return record.offset
  }

  watch(watcher: (record: LogRecord) => void): void {
    this.#watchers.add(watcher)
  }

  group(name: string): Group {
    const group = this.#groups.get(name) ?? new Group(this)
    this.#groups.set(name, group)
    return group
  }
}
