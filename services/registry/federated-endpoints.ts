import { type ParsedSpiffeId, parseSpiffeId } from '@interlock/trust'
import { admitted, useAdmission } from './admissions.ts'
import { activeDefinition } from './certificates.ts'
import { type Admitted, type Parts, RegistryError } from './parts.ts'
import { record } from './record.ts'

/**
 * Lets one agent of a partner's count as a definition of ours, as an operator admitted it by name. It gets no certificate, its partner's is good for it, and it is software, whatever
 * its partner says of it. @throws RegistryError
 */
export async function admitFederated(admissionText: string, parts: Parts): Promise<Admitted> {
  const admission = admitted(admissionText, parts)
  const { subject, jti, definition } = admission
  if (definition === undefined) throw new RegistryError('admission-no-definition', 'it admits an agent of ours')
  const { trustDomain } = (parseSpiffeId(subject) as { value: ParsedSpiffeId }).value
  if (parts.federation().get(trustDomain)?.kind !== 'partner') throw new RegistryError('trust-domain-unknown', { trustDomain })
  activeDefinition(definition, subject, parts)
  useAdmission(admission, parts)
  const appraisedAt = parts.now()
  await record({ kind: 'software', subject, admission: jti, key: '', appraisedAt }, [], parts)
  await parts.log.agent(`instance:${subject}`, {
    kind: 'instance',
    spiffeId: subject,
    definition,
    assurance: 'software',
    appraisedAt,
    state: 'active',
  })
  return { subject, chain: [] }
}
