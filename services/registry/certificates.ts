import type { KeyObject } from 'node:crypto'
import { type ParsedSpiffeId, parseSpiffeId, roleOf } from '@interlock/trust'
import { issueCertificate } from '@interlock/trust/issue'
import { type Parts, RegistryError } from './parts.ts'

/** An agent's certificate lives an hour at most (DESIGN "Trust services"). */
const lifeDays = 1 / 24

/**
 * An agent's X.509-SVID. All that it says comes from the registry's own tables, nothing from the request but the key (issue 4: the template wins).
 * @throws RegistryError where the definition is not active
 */
export async function issueSvid(subject: string, publicKey: KeyObject, { agents, issuer, now }: Parts): Promise<Buffer[]> {
  const role = roleOf((parseSpiffeId(subject) as { value: ParsedSpiffeId }).value)
  if (role?.kind !== 'agent') throw new RegistryError('not-an-agent', { subject })
  const definition = agents().get(`definition:${role.definition}`)
  if (definition?.kind !== 'definition' || definition.state !== 'active')
    throw new RegistryError('definition-not-active', { definition: role.definition })
  const name = `agent-${role.definition}-${role.instance}`
  const profile = { name, spiffeId: subject, definitionHash: definition.hash, assurance: 'tpm', validityDays: lifeDays }
  return issueCertificate(issuer, profile, publicKey, now())
}
