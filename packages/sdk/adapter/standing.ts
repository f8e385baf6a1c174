import type { RevocationEntry, StopEntry } from '@interlock/contracts'
import type { Federation } from '@interlock/trust'

/** The control tables a device reads, by entry id; the newest verified revision of each. */
export type StandingOrders = {
  readonly stops: ReadonlyMap<string, StopEntry>
  readonly revocations: ReadonlyMap<string, RevocationEntry>
  readonly federation: Federation
}

/** Whom and what an order concerns. */
export type Concerned = {
  readonly device: string
  readonly jobId: string
  readonly agents: readonly string[]
  readonly decidedAt: number
}

export type StopReason = 'stopped' | 'decided-before-lift'

/**
 * The stop that holds an order back. A lifted stop still does for what was decided while it stood or before: the state of the
 * machine that such an order was decided for is gone.
 */
export function standingStop(
  concerned: Concerned,
  stops: StandingOrders['stops'],
): { reason: StopReason; stop: StopEntry } | undefined {
  const ids = [
    'all:',
    `job:${concerned.jobId}`,
    `device:${concerned.device}`,
    ...concerned.agents.map((agent) => `agent:${agent}`),
  ]
  for (const id of ids) {
    const stop = stops.get(id)
    if (stop?.state === 'stopped') return { reason: 'stopped', stop }
    if (stop && concerned.decidedAt <= stop.changedAt) return { reason: 'decided-before-lift', stop }
  }
  return undefined
}

export type RevocationSubject = readonly [kind: RevocationEntry['kind'], subject: string]

/** The first of the subjects that is revoked by now. */
export function firstRevoked(
  subjects: readonly RevocationSubject[],
  revocations: StandingOrders['revocations'],
  now: number,
): RevocationEntry | undefined {
  for (const [kind, subject] of subjects) {
    const entry = revocations.get(`${kind}:${subject}`)
    if (entry && entry.from <= now) return entry
  }
  return undefined
}
