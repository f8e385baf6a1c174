import type { Write } from '../processor.ts'

/** What may be counted of a runner's work. */
export interface Observer {
  /** A batch was answered and written; `oldestMs` is the age of its oldest input by the broker's clock. */
  answered(writes: readonly Write[], inputs: number, oldestMs: number): void
  parked(topic: string, reason: string): void
  restored(partition: number, ms: number): void
  diverged(partition: number, why: string): void
}
