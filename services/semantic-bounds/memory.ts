import type { Decision } from '@interlock/contracts'
import { Counts } from './counts.ts'
import { NewestPolicy } from './newest-policy.ts'

/** What the stage remembers of a partition: a fold over its own decisions. */
export class BoundsMemory {
  readonly counts = new Counts()
  readonly newestPolicy = new NewestPolicy()

  add(decision: Decision): void {
    this.counts.add(decision)
    this.newestPolicy.add(decision)
  }

  forget(now: number): void {
    this.counts.forget(now)
  }
}
