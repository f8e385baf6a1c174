import type { Decision } from '@interlock/contracts'
import { JobMemory } from './job-memory.ts'
import { NewestPolicy } from './newest-policy.ts'
import { readReservation } from './reserve.ts'

/** What the stage remembers of a partition: a fold over its own decisions, and over what became of what it allowed. */
export class BoundsMemory {
  readonly jobs = new JobMemory()
  readonly newestPolicy: NewestPolicy

  /** The newest policy is one thing for all partitions of a process, as the table is: what one of them knows holds in each. */
  constructor(newestPolicy = new NewestPolicy()) {
    this.newestPolicy = newestPolicy
  }

  add(decision: Decision): void {
    const allowed = readReservation(decision)
    if (allowed) this.jobs.allow(allowed.reservation, allowed.pacedMs)
    this.newestPolicy.add(decision)
  }

  /** Stands where the memory stood that allowed it, by what it signed. */
  standBefore(decision: Decision): void {
    const allowed = readReservation(decision)
    if (allowed) this.jobs.budgets.standBefore(allowed.reservation)
  }

  forget(now: number): void {
    this.jobs.forget(now)
  }
}
