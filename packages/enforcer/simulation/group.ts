import { assignTogether } from '../kafka/co-partition-assigner.ts'
import type { Commit, Committed } from '../kafka-port.ts'
import type { Broker } from './broker.ts'

/** What the coordinator knows of a member. */
export type GroupMember = {
  readonly id: string
  readonly topics: readonly string[]
  /** Both take their time: a member hears of it when it is reached. */
  revoke(generation: number): void
  assign(generation: number, partitions: ReadonlyMap<string, readonly number[]>): void
}

/** A consumer group: who is in it, what it has committed. A generation is one assignment of all partitions. */
export class Group {
  readonly #broker: Broker
  readonly #members = new Set<GroupMember>()
  readonly #committed = new Map<string, Map<number, Committed>>()
  #generation = 0
  #isRebalancing = false

  constructor(broker: Broker) {
    this.#broker = broker
  }

  join(member: GroupMember): void {
    this.#members.add(member)
    this.#rebalance()
  }

  leave(member: GroupMember): void {
    if (this.#members.delete(member)) this.#rebalance()
  }

  /** A member that died or was cut off is missed only after its session has timed out. */
  miss(member: GroupMember): void {
    this.#broker.scheduler.after(this.#broker.random.int(50, 600), () => this.leave(member))
  }

  /** False where the group has gone on without the member. */
  commit(member: GroupMember, generation: number, commits: readonly Commit[]): boolean {
    if (generation !== this.#generation || !this.#members.has(member)) return false
    for (const { topic, partition, offset, metadata } of commits) {
      const partitions = this.#committed.get(topic) ?? new Map<number, Committed>()
      this.#committed.set(topic, partitions.set(partition, { offset, metadata }))
    }
    return true
  }

  committed(topics: readonly string[]): ReadonlyMap<string, ReadonlyMap<number, Committed>> {
    return new Map(topics.map((topic) => [topic, new Map(this.#committed.get(topic))]))
  }

  #rebalance(): void {
    if (this.#isRebalancing) return
    this.#isRebalancing = true
    for (const member of this.#members) member.revoke(this.#generation)
    // The broker waits for the members to join again; who takes too long is overtaken.
    this.#broker.scheduler.after(this.#broker.random.int(1, 60), () => {
      this.#isRebalancing = false
      this.#generation += 1
      const members = new Map([...this.#members].map((member) => [member.id, member]))
      const topics = [...this.#members][0]?.topics ?? []
      const partitions = new Map(topics.map((topic) => [topic, this.#broker.partitions(topic).map((_, index) => index)]))
      if (members.size === 0) return
      for (const [id, assigned] of assignTogether([...members.keys()], partitions)) {
        members.get(id)?.assign(this.#generation, new Map(Object.entries(assigned)))
      }
    })
  }
}
