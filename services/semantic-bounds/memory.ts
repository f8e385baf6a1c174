import type { Decision } from '@interlock/contracts'
import { Counts } from './counts.ts'
import { NewestPolicy } from './newest-policy.ts'

/** What the stage remembers of a partition: a fold over its own decisions. */
export class BoundsMemory {
  readonly counts = new Counts()
  readonly newestPolicy: NewestPolicy

  /** The newest policy is one thing for all partitions of a process, as the table is: what one of them knows holds in each. */
  constructor(newestPolicy = new NewestPolicy()) {
    this.newestPolicy = newestPolicy
  }

  add(decision: Decision): void {
    this.counts.add(decision)
    this.newestPolicy.add(decision)
  }

  forget(now: number): void {
    this.counts.forget(now)
  }
}
