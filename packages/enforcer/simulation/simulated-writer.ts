import { InfrastructureError, type OutgoingRecord, type Writer } from '../kafka-port.ts'
import type { Broker } from './broker.ts'
import type { Instance } from './instance.ts'

const failed = () => new InfrastructureError('kafka-unavailable', 'the simulated broker did not answer a write')

/** Writes that land late, in part, twice, or after their writer has died or been told that they failed. */
export class SimulatedWriter implements Writer {
  readonly #broker: Broker
  readonly #instance: Instance
  #isClosed = false

  constructor(broker: Broker, instance: Instance) {
    this.#broker = broker
    this.#instance = instance
  }

  send(records: readonly OutgoingRecord[]): Promise<readonly number[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly number[]>()
    const { faults, random } = this.#instance
    const delay = () => faults.delayMs(random)
    const answer = (settle: () => void) => this.#instance.later(delay(), settle)
    if (this.#isClosed) {
      answer(() => reject(failed()))
      return promise
    }
    const fate = faults.sendFate(random)
    if (fate === 'fails') this.#close(() => answer(() => reject(failed())))
    else if (fate === 'fails-then-lands') {
      this.#close(() => answer(() => reject(failed())))
      this.#land(records, random.next() * 1500, () => {})
    } else if (fate === 'lands-in-part') {
      this.#land(records.slice(0, random.int(0, records.length)), delay(), () =>
        this.#close(() => answer(() => reject(failed()))),
      )
    } else {
      this.#land(records, delay() + this.#lateMs(), (offsets) => {
        if (fate === 'lands-twice') this.#land(records, random.next() * 800, () => {})
        if (fate === 'lands-then-fails') this.#close(() => answer(() => reject(failed())))
        else answer(() => resolve(offsets))
      })
    }
    return promise
  }

  async close(): Promise<void> {
    this.#isClosed = true
  }

  #close(then: () => void): void {
    this.#isClosed = true
    then()
  }

  /** What a cut-off instance sends may reach the broker when the partition has long been another's. */
  #lateMs(): number {
    const { isCutOff, cutOffUntil, random } = this.#instance
    return isCutOff && random.chance(0.5) ? random.next() * (cutOffUntil - this.#instance.now() + 300) : this.#broker.awayMs
  }

  /** Each partition's part lands at once, the parts one after the other. */
  #land(records: readonly OutgoingRecord[], ms: number, then: (offsets: readonly number[]) => void): void {
    const parts = [...Map.groupBy(records.keys(), (index) => `${records[index]?.topic}:${records[index]?.partition}`).values()]
    const offsets: number[] = []
    const isLostOnDeath = this.#instance.random.chance(0.5)
    const landNext = () => {
      const part = parts.shift()
      if (!part) return then(offsets)
      if (this.#instance.isDead && isLostOnDeath) return
      for (const index of part) offsets[index] = this.#broker.append(records[index] as OutgoingRecord)
      this.#instance.outside(parts.length > 0 ? this.#instance.random.next() * 3 : 0, landNext)
    }
    this.#instance.outside(ms, landNext)
  }
}
