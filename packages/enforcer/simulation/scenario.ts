import type { Processor } from '../processor.ts'
import type { Broker } from './broker.ts'
import type { Random } from './random.ts'
import type { Scheduler } from './scheduler.ts'

/** What a scenario has to work with: the logs, the time, and numbers from the seed. */
export type Stagehands = { readonly broker: Broker; readonly scheduler: Scheduler; readonly random: Random }

/** A service under test with who writes its inputs and what must hold of its outputs. One object is one run. */
export interface Scenario {
  readonly name: string
  readonly topics: readonly { readonly name: string; readonly key: 'job' | 'device' | 'id'; readonly partitions: number }[]
  /** Topics in which an outsider writes what he read there, once more. */
  readonly copied: readonly string[]
  /** A fresh set for each instance. */
  processors(): readonly Processor<unknown>[]
  /** Plans all inputs within `timeMs`. */
  drive(timeMs: number): void
  /** What has no answer yet. */
  missing(): readonly string[]
  /** What is in the logs and may not be. */
  wrong(): readonly string[]
}

/** How far back a run's services remember: all of it, or so little that restoring must reach beyond it. */
export type Horizon = { readonly ms: number; readonly isWhole: boolean }
