import type { AgentEntry, RevocationEntry } from '@interlock/contracts'

/** control.agents and control.revocations as they stand. */
export type KnownTables = {
  readonly agents: ReadonlyMap<string, AgentEntry>
  readonly revocations: ReadonlyMap<string, RevocationEntry>
}

/** Whether one of the subjects (`<kind>:<subject>`) no longer counts. */
export function isRevoked(subjects: readonly string[], { revocations }: KnownTables, now: number): boolean {
  return subjects.some((id) => (revocations.get(id)?.from ?? Number.POSITIVE_INFINITY) <= now)
}
