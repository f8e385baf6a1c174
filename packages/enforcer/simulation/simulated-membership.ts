import { type Commit, InfrastructureError, type JoinRequest, type LogRecord, type Membership } from '../kafka-port.ts'
import type { Broker } from './broker.ts'
import type { Group, GroupMember } from './group.ts'
import type { Instance } from './instance.ts'

const away = (what: string) => new InfrastructureError('kafka-unavailable', `the simulated broker is away (${what})`)

/** One instance in one group. Records come in small helpings, late, and from a cut-off instance's partitions too: nobody fences a reader. */
export class SimulatedMembership implements Membership, GroupMember {
  readonly id: string
  readonly topics: readonly string[]
  readonly ended: Promise<void>
  readonly #end = Promise.withResolvers<void>()
  readonly #broker: Broker
  readonly #group: Group
  readonly #instance: Instance
  readonly #request: JoinRequest
  readonly #positions = new Map<string, number>()
  readonly #paused = new Set<string>()
  readonly #fetching = new Set<string>()
  #assigned = new Map<string, readonly number[]>()
  #generation = -1
  #isOver = false

  constructor(id: string, broker: Broker, instance: Instance, request: JoinRequest) {
    this.id = id
    this.topics = request.topics
    this.#broker = broker
    this.#instance = instance
    this.#request = request
    this.#group = broker.group(request.group)
    this.ended = this.#end.promise
    this.ended.catch(() => {})
    broker.watch(({ topic, partition }) => this.#fetch(topic, partition))
    this.#group.join(this)
  }

  start(topic: string, partition: number, offset: number): void {
    const place = placeOf(topic, partition)
    this.#positions.set(place, offset)
    this.#paused.delete(place)
    this.#fetch(topic, partition)
  }

  pause(topic: string, partition: number): void {
    this.#paused.add(placeOf(topic, partition))
  }

  resume(topic: string, partition: number): void {
    this.#paused.delete(placeOf(topic, partition))
    this.#fetch(topic, partition)
  }

  hold(): void {
    this.#positions.clear()
  }

  commit(commits: readonly Commit[]): Promise<void> {
    const { faults, random } = this.#instance
    const generation = this.#generation
    const { promise, resolve, reject } = Promise.withResolvers<void>()
    this.#instance.outside(faults.delayMs(random), () => {
      const isTaken = !this.#broker.isAway && this.#group.commit(this, generation, commits)
      const isAnswered = isTaken && !faults.callFails(random)
      this.#instance.later(faults.delayMs(random), () => (isAnswered ? resolve() : reject(away('commit'))))
    })
    return promise
  }

  async leave(): Promise<void> {
    this.#isOver = true
    await this.#instance.pause()
    this.#group.leave(this)
    this.#end.resolve()
  }

  /** The process died, or cannot be reached: the group finds out in its time. */
  miss(): void {
    this.#group.miss(this)
  }

  /** What a member finds when it reaches the broker again, or the broker it. */
  break(): void {
    if (this.#isOver) return
    this.#isOver = true
    this.#group.miss(this)
    this.#end.reject(away('membership'))
  }

  /** A member hears of a rebalance before its outcome, or of the outcome alone. */
  revoke(generation: number): void {
    this.#reach(() => {
      if (generation >= this.#generation) this.#request.listener.revoked()
    })
  }

  assign(generation: number, partitions: ReadonlyMap<string, readonly number[]>): void {
    this.#reach(() => {
      if (generation < this.#generation) return
      this.#generation = generation
      this.#assigned = new Map(partitions)
      this.hold()
      this.#request.listener.assigned(this, this.#assigned)
    })
  }

  #reach(tell: () => void): void {
    const { faults, random } = this.#instance
    this.#instance.later(faults.delayMs(random), () => {
      if (!this.#isOver && !this.#instance.isCutOff) tell()
    })
  }

  #fetch(topic: string, partition: number): void {
    const place = placeOf(topic, partition)
    const position = this.#positions.get(place)
    if (this.#isOver || position === undefined || this.#fetching.has(place) || this.#paused.has(place)) return
    if (position >= this.#broker.log(topic, partition).length) return
    this.#fetching.add(place)
    const { faults, random } = this.#instance
    this.#instance.later(faults.delayMs(random) + this.#broker.awayMs, () => {
      this.#fetching.delete(place)
      if (this.#positions.get(place) === position && !this.#broker.isAway)
        this.#hand(topic, partition, position, random.int(1, 8))
      this.#fetch(topic, partition)
    })
  }

  #hand(topic: string, partition: number, position: number, count: number): void {
    const place = placeOf(topic, partition)
    if (this.#isOver || this.#paused.has(place)) return
    const records: readonly LogRecord[] = this.#broker.log(topic, partition).slice(position, position + count)
    if (records.length === 0) return
    this.#positions.set(place, position + records.length)
    this.#request.listener.records(topic, partition, records, position + records.length)
  }
}

const placeOf = (topic: string, partition: number) => `${topic}:${partition}`
