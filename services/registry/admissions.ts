import { type Admission, verifyAdmission } from '@interlock/trust'
import { operatorContext } from './operator-context.ts'
import { type Parts, RegistryError } from './parts.ts'

/** An admission that counts and was not used yet. @throws RegistryError */
export function admitted(text: string, parts: Parts): Admission {
  const admission = verifyAdmission(text, operatorContext(parts))
  if (!admission.ok) throw new RegistryError(`admission-${admission.reason}`, admission.detail)
  const { jti } = admission.value
  if (parts.usedAdmissions.has(jti)) throw new RegistryError('admission-used', { jti }, 409)
  return admission.value
}

/** Uses an admission up, whatever comes of it (ATTACKS 131). @throws RegistryError where it is already */
export function useAdmission({ jti }: Admission, { usedAdmissions }: Parts): void {
  if (usedAdmissions.has(jti)) throw new RegistryError('admission-used', { jti }, 409)
  usedAdmissions.add(jti)
}
