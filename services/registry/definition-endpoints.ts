import type { AgentDefinition } from '@interlock/contracts'
import { type DefinitionOrder, definitionHashOf, isRevoked, standingOf, verifyDefinitionOrder } from '@interlock/trust'
import { operatorContext } from './operator-context.ts'
import { type Parts, RegistryError } from './parts.ts'

export type DefinitionStanding = Pick<AgentDefinition, 'name' | 'hash' | 'owner' | 'state'>

/** Where one definition may go from where it is. What is retired stays so: another text is another definition, and registered anew. */
const next: Readonly<Record<AgentDefinition['state'], readonly AgentDefinition['state'][]>> = {
  draft: ['draft', 'active', 'retired'],
  active: ['active', 'suspended', 'retired'],
  suspended: ['suspended', 'active', 'retired'],
  retired: [],
}

/** What is registered under a name; the text itself is not told. @throws RegistryError */
export function definitionOf(name: string, { agents }: Parts): DefinitionStanding {
  const entry = agents().get(`definition:${name}`)
  if (entry?.kind !== 'definition') throw new RegistryError('definition-unknown', { name }, 404)
  return standing(entry)
}

/**
 * Registers a definition, or changes its state or owner, as an operator ordered. From the moment that the entry is read, certificates over
 * another hash no longer count (`definition-mismatch`). @throws RegistryError
 */
export async function orderDefinition(
  text: string,
  definition: AgentDefinition['definition'] | undefined,
  parts: Parts,
): Promise<DefinitionStanding> {
  const { agents, now, ordered, used, log } = parts
  const order = verifyDefinitionOrder(text, operatorContext(parts))
  if (!order.ok) throw new RegistryError(`order-${order.reason}`, order.detail)
  const { name, iss, jti, exp, previous } = order.value
  const entry = agents().get(`definition:${name}`)
  const before = entry?.kind === 'definition' ? entry : undefined
  const present = ordered.get(name) ?? standingOf(before)
  if (present !== standingOf(before)) throw new RegistryError('order-pending', { name }, 503)
  if (previous !== present) throw new RegistryError('definition-changed', { name, present }, 409)
  const fresh = definitionFrom(order.value, definition ?? before?.definition)
  assertMayBecome(fresh, before, parts)
  if (!used.take(iss, jti, exp * 1000, now())) throw new RegistryError('order-replayed', { jti }, 409)
  ordered.set(name, standingOf(fresh))
  try {
    await log.agent(`definition:${name}`, fresh)
  } catch (error) {
    ordered.delete(name)
    throw error
  }
  return standing(fresh)
}

/** The text is that of the order's hash, whoever sent it. */
function definitionFrom(
  { name, hash, owner, state }: DefinitionOrder,
  definition: AgentDefinition['definition'] | undefined,
): AgentDefinition {
  if (!definition || definitionHashOf(definition) !== hash) throw new RegistryError('definition-text', { name, hash })
  return { kind: 'definition', name, hash, definition, owner, state }
}

function assertMayBecome(fresh: AgentDefinition, before: AgentDefinition | undefined, { agents, revocations, now }: Parts): void {
  const { name, hash, owner, state } = fresh
  const human = agents().get(`human:${owner}`)
  const isRevokedHuman = isRevoked([`human:${owner}`], { revocations: revocations() }, now())
  // Somebody answers for every agent, and it is somebody who is there.
  if (human?.kind !== 'human' || human.state !== 'active' || isRevokedHuman) throw new RegistryError('owner-unknown', { owner })
  if (isRevoked([`definition:${hash}`], { revocations: revocations() }, now())) throw new RegistryError('revoked', { hash })
  const allowed: readonly string[] = before?.hash === hash ? next[before.state] : ['draft', 'active']
  if (!allowed.includes(state)) throw new RegistryError('state-not-allowed', { name, from: before?.state ?? '', to: state })
}

const standing = ({ name, hash, owner, state }: AgentDefinition): DefinitionStanding => ({ name, hash, owner, state })
