import type { AgentEntry, ControlEntry, ControlTable, DeviceEntry, Human, PolicyEntry } from '@interlock/contracts'
import { type SigningKey, signControlEntry } from '@interlock/trust'
import { agentSpiffeId, definitionHash } from './domain.ts'
import { agents, approvalPolicy, definitions } from './laboratory.ts'

export type TableEntry = { readonly table: ControlTable; readonly entry: ControlEntry }
type Value = { readonly table: ControlTable; readonly id: string; readonly value: AgentEntry | DeviceEntry | PolicyEntry }

export type ControlEntriesRequest = {
  readonly devices: readonly DeviceEntry[]
  /** As the trust bundle has them: a passkey that was added counts on. */
  readonly humans: readonly Human[]
  /** Without one there is no bounds policy, and every intent is denied for want of it. */
  readonly boundsPolicy?: Extract<PolicyEntry, { kind: 'bounds' }> | undefined
  /** service-registry's key signs agents and devices, operator-dev's the policies. */
  readonly registry: SigningKey
  readonly operator: SigningKey
  readonly now: number
}

/** The laboratory's control tables, signed. The revision is the time, so that a later start's entries are newer. */
export async function controlEntries(request: ControlEntriesRequest): Promise<TableEntry[]> {
  const { registry, operator, now } = request
  return Promise.all(
    valuesOf(request).map(async ({ table, id, value }) => {
      const key = table === 'control.policies' ? operator : registry
      return { table, entry: await signControlEntry({ table, id, revision: now, updatedAt: now, value }, key) }
    }),
  )
}

function valuesOf({ devices, humans, boundsPolicy, now }: ControlEntriesRequest): Value[] {
  const names = Object.keys(definitions)
  return [
    ...names.map((name) => agentValue(`definition:${name}`, definitionEntry(name))),
    ...agents.map((agent) => {
      const spiffeId = agentSpiffeId(agent.definition, agent.instance)
      const instance = {
        kind: 'instance',
        spiffeId,
        definition: agent.definition,
        assurance: 'software',
        appraisedAt: now,
        state: 'active',
      } as const
      return agentValue(`instance:${spiffeId}`, instance)
    }),
    ...humans.map((human) => agentValue(`human:${human.sub}`, human)),
    ...devices.map((value) => ({ table: 'control.devices', id: value.device, value }) as const),
    { table: 'control.policies', id: 'approval', value: approvalPolicy },
    ...(boundsPolicy ? [{ table: 'control.policies', id: 'bounds', value: boundsPolicy } as const] : []),
  ]
}

const agentValue = (id: string, value: AgentEntry): Value => ({ table: 'control.agents', id, value })

function definitionEntry(name: string): AgentEntry {
  const definition = definitions[name]
  if (!definition) throw new Error(`no definition ${name} in the laboratory`)
  return { kind: 'definition', name, hash: definitionHash(name), definition, owner: 'alice', state: 'active' }
}
