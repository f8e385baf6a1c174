import type { FederationEntry } from '@interlock/contracts'
import { type Federation, parseSpiffeId, verifyControlEntry } from '@interlock/trust'
import type { Evidence, Reference } from './evidence.ts'

/** The trust domains that the agents' names lie in; for finding evidence, not for believing it. */
export const trustDomainsOf = (agents: readonly string[]): string[] => [
  ...new Set(
    agents.flatMap((agent) => {
      const id = parseSpiffeId(agent)
      return id.ok ? [id.value.trustDomain] : []
    }),
  ),
]

/** Partners' roots as they stood at a time: the newest genuine entry of each up to then. `at` in milliseconds since 1970. */
export function partnersAt({ controlEntries }: Evidence, at: number, { anchors }: Reference): Federation {
  const standing = new Map<string, FederationEntry>()
  const entries = controlEntries.filter(({ table }) => table === 'control.federation').map(({ entry }) => entry)
  for (const entry of entries.toSorted((left, right) => left.revision - right.revision)) {
    const verified = verifyControlEntry(entry, 'control.federation', anchors)
    if (verified.ok && verified.value.updatedAt <= at) standing.set(entry.id, verified.value.value as FederationEntry)
  }
  return standing
}
