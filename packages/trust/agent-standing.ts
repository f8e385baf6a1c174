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
  const role = roleOf(agent.parsed)
  if (role?.kind !== 'agent') return 'not-an-agent'
  const instance = tables.agents.get(`instance:${agent.spiffeId}`)
  if (instance?.kind !== 'instance') return 'instance-unknown'
  if (instance.state !== 'active') return 'instance-not-active'
  const definition = tables.agents.get(`definition:${role.definition}`)
  if (definition?.kind !== 'definition') return 'definition-unknown'
  if (definition.state !== 'active') return 'definition-not-active'
  if (definition.hash !== agent.definitionHash) return 'definition-mismatch'
  const subjects = [`agent:${agent.spiffeId}`, `certificate:${agent.thumbprint}`, `definition:${definition.hash}`]
  if (isRevoked(subjects, tables, now)) return 'revoked'
  return areParentsActive(instance, tables, now) ? undefined : 'parent-not-active'
}

/** A sub-agent is as good as those it descends from: each of them an active instance of an active definition, and not revoked. */
export function areParentsActive(instance: AgentInstance, tables: AgentTables, now: number): boolean {
  let child = instance
  for (let depth = 0; child.parent !== undefined; depth++) {
    const parent = tables.agents.get(`instance:${child.parent}`)
    if (depth === descentMax || parent?.kind !== 'instance' || parent.state !== 'active') return false
    const id = parseSpiffeId(parent.spiffeId)
    const role = id.ok ? roleOf(id.value) : undefined
    const definition = role?.kind === 'agent' ? tables.agents.get(`definition:${role.definition}`) : undefined
    if (definition?.kind !== 'definition' || definition.state !== 'active') return false
    if (isRevoked([`agent:${parent.spiffeId}`, `definition:${definition.hash}`], tables, now)) return false
    child = parent
  }
  return true
}
