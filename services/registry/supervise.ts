import { setTimeout as wait } from 'node:timers/promises'
import type { RegistryFinding } from './alerts.ts'
import { type SweepEvents, sweepPlatforms } from './overdue.ts'
import type { Parts } from './parts.ts'
import type { RevocationWatch, TopicEnds } from './revocation-watch.ts'

/** How often is looked: a platform counts at most so much longer than its appraisal. Milliseconds. */
const everyMs = 1000

export type SupervisionEvents = SweepEvents & {
  /** Alerts could not be written down: tried again. Without a finding, those of before. */
  readonly unsaid: (finding: RegistryFinding | undefined, error: unknown) => void
}

/** What nobody asks for and must be noticed all the same: platforms that stay away, revocations that go away. Ends with the signal. */
export class Supervision {
  readonly #parts: Parts
  readonly #watch: RevocationWatch
  readonly #ends: () => Promise<TopicEnds>
  readonly #events: SupervisionEvents

  constructor(parts: Parts, watch: RevocationWatch, ends: () => Promise<TopicEnds>, events: SupervisionEvents) {
    this.#parts = parts
    this.#watch = watch
    this.#ends = ends
    this.#events = events
  }

  async look(): Promise<void> {
    await this.#parts.alerts.raiseOwed().catch((error) => this.#events.unsaid(undefined, error))
    await sweepPlatforms(this.#parts, this.#events)
    // A broker that is away is told of elsewhere, and is no rollback.
    const ends = await this.#ends().catch(() => undefined)
    const finding = ends && this.#watch.ends(ends)
    if (finding) await this.raise(finding)
  }

  async raise(finding: RegistryFinding): Promise<void> {
    await this.#parts.alerts.raise(finding).catch((error) => this.#events.unsaid(finding, error))
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.look()
      await wait(everyMs, undefined, { signal }).catch(() => {})
    }
  }
}
