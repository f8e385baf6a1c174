import { randomUUID } from 'node:crypto'
import type { AgentDefinition } from '@interlock/contracts'
import { definitionHashOf, signDefinitionOrder, standingOf } from '@interlock/trust'
import type { ByOperator } from './admit.ts'
import { ask, EnrolmentError, post } from './registry-client.ts'

/** Seconds: an order is carried out at once. */
const validity = 300

export type DefinitionChange = {
  readonly name: string
  /** The new text; as it was where left out. */
  readonly definition?: AgentDefinition['definition']
  /** As it was where left out; a new definition must have one. */
  readonly owner?: string
  readonly state: AgentDefinition['state']
}

export type RegisteredDefinition = Pick<AgentDefinition, 'name' | 'hash' | 'owner' | 'state'>

/** What is registered under a name; undefined where nothing is. @throws EnrolmentError */
export async function readDefinition(registry: string, name: string): Promise<RegisteredDefinition | undefined> {
  try {
    return (await ask(registry, `/definitions/${encodeURIComponent(name)}`)) as RegisteredDefinition
  } catch (error) {
    if (error instanceof EnrolmentError && error.code === 'definition-unknown') return undefined
    throw error
  }
}

/** Registers a definition or changes it, as an operator of the trust bundle. @throws EnrolmentError */
export async function orderDefinition(
  registry: string,
  change: DefinitionChange,
  { operator, audience }: ByOperator,
): Promise<RegisteredDefinition> {
  const present = await readDefinition(registry, change.name)
  const hash = change.definition ? definitionHashOf(change.definition) : present?.hash
  const owner = change.owner ?? present?.owner
  if (hash === undefined || owner === undefined)
    throw new EnrolmentError('definition-unknown', `nothing is registered as ${change.name}: its text and its owner are needed`)
  const iat = Math.floor(Date.now() / 1000)
  const claims = { iss: operator.spiffeId, aud: audience, jti: randomUUID(), iat, exp: iat + validity }
  const order = await signDefinitionOrder(
    { ...claims, name: change.name, hash, owner, state: change.state, previous: standingOf(present) },
    operator,
  )
  const { definition } = change
  return (await post(registry, '/definitions', { order, ...(definition && { definition }) })) as RegisteredDefinition
}
