import { type Alert, alertOf, type Finding } from '@interlock/contracts'
import { canonicalBytes, digest } from '@interlock/trust'

export type RegistryRule =
  | 'appraisal-failed'
  | 'appraisal-overdue'
  | 'counter-rollback'
  | 'clock-behind'
  | 'revocation-removed'
  | 'revocation-weakened'
  | 'revocations-rolled-back'

export type RegistryFinding = Pick<Finding, 'severity' | 'subject' | 'title' | 'message' | 'evidence'> & {
  readonly rule: RegistryRule
  /** What makes it this occasion and no other: found again, after a restart too, it is the same alert. */
  readonly occasion: string | number
}

const raisedMax = 10_000

/** Tells humans what they should look at, and each thing once while the process runs: what is found every second is one alert. */
export class Alerts {
  readonly #raised = new Set<string>()
  /** What could not be written down yet. */
  readonly #owed = new Map<string, RegistryFinding>()
  readonly #write: (alert: Alert) => Promise<void>
  readonly #now: () => number

  constructor(write: (alert: Alert) => Promise<void>, now: () => number) {
    this.#write = write
    this.#now = now
  }

  /** Resolves when it is recorded. @throws RegistryError where it cannot be; `raiseOwed` then tries it again */
  async raise(found: RegistryFinding): Promise<void> {
    const { occasion, ...finding } = found
    const alertId = digest(canonicalBytes([finding.rule, finding.subject, String(occasion)]))
    if (this.#raised.has(alertId)) return
    for (const oldest of this.#owed.keys()) if (this.#owed.size >= raisedMax) this.#owed.delete(oldest)
    this.#owed.set(alertId, found)
    await this.#write(alertOf({ ...finding, alertId, source: 'registry', jobId: '', raisedAt: this.#now() }))
    this.#owed.delete(alertId)
    // The oldest makes room: at the worst one is told again, under the same id.
    for (const oldest of this.#raised) if (this.#raised.size >= raisedMax) this.#raised.delete(oldest)
    this.#raised.add(alertId)
  }

  /** What could not be written down before; the first that still cannot be ends it. @throws RegistryError */
  async raiseOwed(): Promise<void> {
    for (const finding of [...this.#owed.values()]) await this.raise(finding)
  }
}
