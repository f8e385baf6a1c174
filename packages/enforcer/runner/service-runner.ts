import type { ControlEntry, ControlTable, Result, Topology } from '@interlock/contracts'
import type { Clock, Kafka, LogRecord } from '../kafka-port.ts'
import type { Processor } from '../processor.ts'
import { ControlTables } from './control-tables.ts'
import { Follower } from './follower.ts'
import type { Observer } from './observer.ts'
import type { Outage } from './outage.ts'
import { ParkingLot } from './parking-lot.ts'
import { ProcessorRunner } from './processor-runner.ts'
import type { RecordCodec } from './read-record.ts'

export type ServiceRunnerParts = {
  readonly name: string
  readonly processors: readonly Processor<unknown>[]
  readonly topology: Topology
  readonly codec: RecordCodec
  readonly kafka: Kafka
  readonly clock: Clock
  readonly outage: Outage
  readonly observer: Observer
  readonly verifyEntry: (
    entry: ControlEntry,
    table: ControlTable,
  ) => Result<{ readonly id: string; readonly revision: number; readonly value: unknown }, string>
  readonly random: () => Buffer
  readonly uniqueName: () => string
}

/** All processors of one process, with the control tables they share. */
export class ServiceRunner {
  readonly #parts: ServiceRunnerParts
  readonly #tables: ControlTables
  readonly #parkingLot: ParkingLot
  readonly #runners: readonly ProcessorRunner<unknown>[]
  readonly #tablesRead = Promise.withResolvers<void>()
  #follower: Follower | undefined
  #isStopped = false

  constructor(parts: ServiceRunnerParts) {
    const { name, codec, kafka, clock, topology, observer } = parts
    this.#parts = parts
    this.#parkingLot = new ParkingLot({ name, codec, kafka, clock, topology })
    this.#tables = new ControlTables(codec, parts.verifyEntry, (record, reason, detail) => {
      observer.parked(record.topic, reason)
      this.#parkingLot.park(record, reason, detail)
    })
    this.#runners = parts.processors.map(
      (processor) =>
        new ProcessorRunner({ ...parts, processor, tables: this.#tables.tables, tablesRead: this.#tablesRead.promise }),
    )
  }

  get isReady(): boolean {
    return this.#runners.every(({ isRestored }) => isRestored)
  }

  get runners(): readonly ProcessorRunner<unknown>[] {
    return this.#runners
  }

  /** Runs until `stop`. Rejects on a fault that no retry mends. */
  async run(): Promise<void> {
    void this.#readTables()
    try {
      await Promise.all(this.#runners.map((runner) => runner.run()))
    } finally {
      await this.stop()
    }
  }

  async whenReady(): Promise<void> {
    while (!this.isReady && !this.#isStopped) await this.#parts.clock.sleep(20)
  }

  async stop(): Promise<void> {
    if (this.#isStopped) return
    this.#isStopped = true
    await Promise.all([...this.#runners.map((runner) => runner.stop()), this.#follower?.stop(), this.#parkingLot.close()])
  }

  async #readTables(): Promise<void> {
    const topics = [...new Set(this.#parts.processors.flatMap(({ tables }) => tables))]
    if (topics.length > 0) {
      const { kafka, clock, outage, name, uniqueName } = this.#parts
      this.#follower = new Follower(kafka, clock, outage, {
        group: `${name}.tables.${uniqueName()}`,
        topics,
        since: 0,
        onRecord: (record: LogRecord) => this.#tables.take(record),
      })
      await this.#follower.caughtUp
    }
    this.#tablesRead.resolve()
  }
}
