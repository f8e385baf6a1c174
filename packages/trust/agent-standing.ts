import type { AgentEntry, AgentInstance, RevocationEntry } from '@interlock/contracts'
import { parseSpiffeId, roleOf } from './spiffe-id.ts'
import type { Svid } from './svid.ts'

/** control.agents and control.revocations as they stand. */
export type AgentTables = {
  readonly agents: ReadonlyMap<string, AgentEntry>
  readonly revocations: ReadonlyMap<string, RevocationEntry>
}

export type StandingReason =
  | 'not-an-agent'
  | 'instance-unknown'
  | 'instance-not-active'
  | 'definition-unknown'
  | 'definition-not-active'
  | 'definition-mismatch'
  | 'parent-not-active'
  | 'revoked'

/** How deep sub-agents of sub-agents go. */
export const descentMax = 4

/** Whether one of the subjects (`<kind>:<subject>`) no longer counts. `now` in milliseconds since 1970. */
export function isRevoked(subjects: readonly string[], { revocations }: Pick<AgentTables, 'revocations'>, now: number): boolean {
  return subjects.some((id) => (revocations.get(id)?.from ?? Number.POSITIVE_INFINITY) <= now)
}

/** Why an agent with a good certificate does not count now; undefined where it does. A certificate outlives the word that its agent is gone; the tables do not. */
export function standingRefusal(
  agent: Pick<Svid, 'spiffeId' | 'parsed' | 'definitionHash' | 'thumbprint'>,
  tables: AgentTables,
  now: number,
): StandingReason | undefined {
  const own = ownRefusal(agent.spiffeId, tables, now)
  if (own) return own
  const { instance, definition } = registered(agent.spiffeId, tables)
  if (definition?.hash !== agent.definitionHash) return 'definition-mismatch'
  if (isRevoked([`certificate:${agent.thumbprint}`], tables, now)) return 'revoked'
  return instance && areParentsActive(instance, tables, now) ? undefined : 'parent-not-active'
}

/** Why an agent whom a token names does not count now: what it handed on falls with it, whoever holds it (ATTACKS 57). */
export function actorRefusal(spiffeId: string, tables: AgentTables, now: number): StandingReason | undefined {
  const own = ownRefusal(spiffeId, tables, now)
  if (own) return own
  const { instance } = registered(spiffeId, tables)
  return instance && areParentsActive(instance, tables, now) ? undefined : 'parent-not-active'
}

/** A sub-agent is as good as those it descends from: each of them an active instance of an active definition, and not revoked. */
export function areParentsActive(instance: AgentInstance, tables: AgentTables, now: number): boolean {
  let child = instance
  for (let depth = 0; child.parent !== undefined; depth++) {
    const parent = registered(child.parent, tables).instance
    if (depth === descentMax || !parent || ownRefusal(child.parent, tables, now)) return false
    child = parent
  }
  return true
}

/** Without those above it. */
function ownRefusal(spiffeId: string, tables: AgentTables, now: number): StandingReason | undefined {
  const { role, instance, definition } = registered(spiffeId, tables)
  if (role?.kind !== 'agent' && (role !== undefined || !instance)) return 'not-an-agent'
  if (!instance) return 'instance-unknown'
  if (instance.state !== 'active') return 'instance-not-active'
  if (!definition) return 'definition-unknown'
  if (definition.state !== 'active') return 'definition-not-active'
  return isRevoked([`agent:${spiffeId}`, `definition:${definition.hash}`], tables, now) ? 'revoked' : undefined
}

function registered(spiffeId: string, { agents }: Pick<AgentTables, 'agents'>) {
  const id = parseSpiffeId(spiffeId)
  const role = id.ok ? roleOf(id.value) : undefined
  const entry = agents.get(`instance:${spiffeId}`)
  const instance = entry?.kind === 'instance' ? entry : undefined
  // As what it was admitted: a partner's agent has a name of its own trust domain's, whose path means nothing here (ATTACKS 9).
  const definition = instance && agents.get(`definition:${instance.definition}`)
  return {
    role,
    instance,
    definition: definition?.kind === 'definition' ? definition : undefined,
  }
}
