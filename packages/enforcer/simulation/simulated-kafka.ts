import { type Committed, InfrastructureError, type JoinRequest, type Kafka, type OffsetRange } from '../kafka-port.ts'
import type { Broker } from './broker.ts'
import type { Instance } from './instance.ts'
import { SimulatedMembership } from './simulated-membership.ts'
import { SimulatedWriter } from './simulated-writer.ts'

/** The port as one instance sees it. */
export class SimulatedKafka implements Kafka {
  readonly #broker: Broker
  readonly #instance: Instance
  readonly #memberships = new Set<SimulatedMembership>()
  #joined = 0

  constructor(broker: Broker, instance: Instance) {
    this.#broker = broker
    this.#instance = instance
  }

  async join(request: JoinRequest): Promise<SimulatedMembership> {
    const { faults, random } = this.#instance
    if (faults.hasSlowTables && request.topics.some((topic) => topic.startsWith('control.')))
      await this.#instance.sleep(random.int(0, 900))
    return this.#ask(() => {
      this.#joined += 1
      const membership = new SimulatedMembership(`${this.#instance.name}-${this.#joined}`, this.#broker, this.#instance, request)
      this.#memberships.add(membership)
      return membership
    })
  }

  openWriter(): Promise<SimulatedWriter> {
    return this.#ask(() => new SimulatedWriter(this.#broker, this.#instance))
  }

  ranges(topic: string): Promise<ReadonlyMap<number, OffsetRange>> {
    return this.#ask(() => new Map(this.#broker.partitions(topic).map((log, index) => [index, { low: 0, high: log.length }])))
  }

  offsetsAt(topic: string, timeMs: number): Promise<ReadonlyMap<number, number>> {
    const first = (appendedAt: readonly { appendedAt: number }[]) => appendedAt.findIndex((record) => record.appendedAt >= timeMs)
    return this.#ask(
      () => new Map(this.#broker.partitions(topic).map((log, index) => [index, first(log) < 0 ? log.length : first(log)])),
    )
  }

  committed(group: string, topics: readonly string[]): Promise<ReadonlyMap<string, ReadonlyMap<number, Committed>>> {
    return this.#ask(() => this.#broker.group(group).committed(topics))
  }

  /** The groups miss this instance; `andBreak` also tells it so. */
  miss(): void {
    for (const membership of this.#memberships) membership.miss()
  }

  breakMemberships(): void {
    for (const membership of this.#memberships) membership.break()
    this.#memberships.clear()
  }

  /** The broker's answer is of one moment, and is heard at another. */
  #ask<Answer>(answer: () => Answer): Promise<Answer> {
    const { faults, random } = this.#instance
    const { promise, resolve, reject } = Promise.withResolvers<Answer>()
    this.#instance.later(faults.delayMs(random), () => {
      if (this.#broker.isAway || this.#instance.isCutOff || faults.callFails(random)) {
        this.#instance.later(faults.delayMs(random), () =>
          reject(new InfrastructureError('kafka-unavailable', 'the simulated broker does not answer')),
        )
        return
      }
      const value = answer()
      this.#instance.later(faults.delayMs(random), () => resolve(value))
    })
    return promise
  }
}
