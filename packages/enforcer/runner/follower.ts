import {
  type Clock,
  type GroupListener,
  InfrastructureError,
  type Kafka,
  type LogRecord,
  type Membership,
} from '../kafka-port.ts'
import { backoffMs } from './backoff.ts'
import type { Outage } from './outage.ts'

export type FollowRequest = {
  /** A group of its own, so that this instance gets every partition. */
  readonly group: string
  readonly topics: readonly string[]
  /** Append time to begin at; 0 is the beginning. */
  readonly since: number
  readonly onRecord: (record: LogRecord) => void
}

/** Reads whole topics from a time on, for as long as it is not stopped, whoever else reads them. */
export class Follower {
  /** Resolves when every topic was read to the end that it had at the start. */
  readonly caughtUp: Promise<void>
  readonly #kafka: Kafka
  readonly #clock: Clock
  readonly #outage: Outage
  readonly #request: FollowRequest
  readonly #next = new Map<string, number>()
  readonly #ends = new Map<string, number>()
  #markCaughtUp: () => void = () => {}
  #isPlanned = false
  #isStopped = false
  #membership: Membership | undefined

  constructor(kafka: Kafka, clock: Clock, outage: Outage, request: FollowRequest) {
    this.#kafka = kafka
    this.#clock = clock
    this.#outage = outage
    this.#request = request
    this.caughtUp = new Promise((resolve) => {
      this.#markCaughtUp = resolve
    })
    void this.#run()
  }

  async stop(): Promise<void> {
    this.#isStopped = true
    // What it found goes with it: the next one finds for itself.
    this.#outage.back('kafka', this)
    await this.#membership?.leave().catch(() => {})
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#isStopped; attempt += 1) {
      try {
        if (!this.#isPlanned) await this.#plan()
        this.#membership = await this.#kafka.join({
          group: this.#request.group,
          topics: this.#request.topics,
          listener: this.#listener(),
        })
        if (this.#isStopped) await this.#membership.leave()
        this.#outage.back('kafka', this)
        attempt = 0
        await this.#membership.ended
      } catch (error) {
        if (!(error instanceof InfrastructureError)) throw error
        this.#outage.away('kafka', error, this)
      }
      if (!this.#isStopped) await this.#clock.sleep(backoffMs(attempt))
    }
  }

  async #plan(): Promise<void> {
    for (const topic of this.#request.topics) {
      const ranges = await this.#kafka.ranges(topic)
      const starts = this.#request.since > 0 ? await this.#kafka.offsetsAt(topic, this.#request.since) : undefined
      for (const [partition, { low, high }] of ranges) {
        const place = placeOf(topic, partition)
        this.#next.set(place, Math.max(low, Math.min(starts?.get(partition) ?? low, high)))
        this.#ends.set(place, high)
      }
    }
    this.#isPlanned = true
    this.#checkEnds()
  }

  #listener(): GroupListener {
    return {
      assigned: (membership, partitions) => {
        for (const [topic, numbers] of partitions) {
          for (const partition of numbers) membership.start(topic, partition, this.#next.get(placeOf(topic, partition)) ?? 0)
        }
      },
      revoked: () => {},
      records: (topic, partition, records, next) => {
        if (this.#isStopped) return
        for (const record of records) this.#request.onRecord(record)
        this.#next.set(placeOf(topic, partition), next)
        this.#checkEnds()
      },
    }
  }

  #checkEnds(): void {
    for (const [place, end] of this.#ends) if ((this.#next.get(place) ?? 0) >= end) this.#ends.delete(place)
    if (this.#isPlanned && this.#ends.size === 0) this.#markCaughtUp()
  }
}

const placeOf = (topic: string, partition: number) => `${topic}:${partition}`
