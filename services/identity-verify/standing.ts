import type { AgentDefinition, AgentInstance, Assurance } from '@interlock/contracts'
import type { Tables } from '@interlock/enforcer'
import { areParentsActive, roleOf, type Svid } from '@interlock/trust'

export type StandingReason =
  | 'not-an-agent'
  | 'definition-unknown'
  | 'definition-not-active'
  | 'definition-mismatch'
  | 'instance-unknown'
  | 'instance-not-active'
  | 'parent-not-active'
  | 'federated-agent-unknown'

/** Whom an intent's agent counts as. */
export type Standing = {
  readonly ok: true
  readonly definition: AgentDefinition
  /** What is known of its platform now, and what was when its certificate was issued: both must do. */
  readonly assurance: Assurance
  readonly certified: string
  /** Milliseconds since 1970. */
  readonly appraisedAt: number
}
type Fallen = { readonly ok: false; readonly reason: StandingReason; readonly detail: Readonly<Record<string, unknown>> }
const fallen = (reason: StandingReason, detail: Fallen['detail']): Fallen => ({ ok: false, reason, detail })

/** An agent of ours: its definition as it is registered, its instance and those above it active. */
export function ownAgent(leaf: Svid, tables: Tables, now: number): Standing | Fallen {
  const role = roleOf(leaf.parsed)
  if (role?.kind !== 'agent') return fallen('not-an-agent', { spiffeId: leaf.spiffeId })
  const agents = tables['control.agents']
  const definition = activeDefinition(role.definition, agents)
  if (!definition.ok) return definition
  // A changed prompt, model or tool list is another agent: its old certificates no longer name what is registered.
  const { hash } = definition.value
  if (leaf.definitionHash !== hash)
    return fallen('definition-mismatch', { certificate: leaf.definitionHash ?? '', registered: hash })
  const instance = agents.get(`instance:${leaf.spiffeId}`)
  if (instance?.kind !== 'instance') return fallen('instance-unknown', { agent: leaf.spiffeId })
  if (!areParentsActive(instance, { agents, revocations: tables['control.revocations'] }, now))
    return fallen('parent-not-active', { agent: leaf.spiffeId })
  return activeInstance(instance, {
    definition: definition.value,
    assurance: instance.assurance,
    certified: leaf.assurance ?? '',
    appraisedAt: instance.appraisedAt,
  })
}

/**
 * A partner's agent: the definition of ours that an entry of ours gives it, whose owner answers for it. That its partner vouches for it is not enough; nothing in its certificate is
 * taken for its definition or assurance, and a name that would be an enforcer, a service, an operator or a device here is nobody (ATTACKS 8).
 */
export function federatedAgent({ spiffeId, parsed, notBeforeMs }: Svid, tables: Tables): Standing | Fallen {
  const role = roleOf(parsed)
  if (role !== undefined && role.kind !== 'agent') return fallen('not-an-agent', { spiffeId })
  const agents = tables['control.agents']
  const instance = agents.get(`instance:${spiffeId}`)
  if (instance?.kind !== 'instance') return fallen('federated-agent-unknown', { agent: spiffeId })
  const definition = activeDefinition(instance.definition, agents)
  if (!definition.ok) return definition
  return activeInstance(instance, {
    definition: definition.value,
    assurance: 'software',
    certified: 'software',
    // Nobody here appraises it: its certificate's age is how long ago its partner last stood up for it.
    appraisedAt: notBeforeMs,
  })
}

function activeDefinition(
  name: string,
  agents: Tables['control.agents'],
): { readonly ok: true; readonly value: AgentDefinition } | Fallen {
  const value = agents.get(`definition:${name}`)
  if (value?.kind !== 'definition') return fallen('definition-unknown', { definition: name })
  if (value.state !== 'active') return fallen('definition-not-active', { definition: name, state: value.state })
  return { ok: true, value }
}

function activeInstance({ state, spiffeId }: AgentInstance, standing: Omit<Standing, 'ok'>): Standing | Fallen {
  return state === 'active' ? { ok: true, ...standing } : fallen('instance-not-active', { agent: spiffeId, state })
}
