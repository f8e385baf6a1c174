import { randomUUID } from 'node:crypto'
import { type Admission, type SigningKey, signAdmission } from '@interlock/trust'

/** An operator's key, and the trust domain's audience as its trust bundle has it. */
export type ByOperator = { readonly operator: SigningKey; readonly audience: string }

/** Seconds that an admission waits unless it is said otherwise. */
const validityDefault = 600

/** An operator admits an agent or a device, for one enrolment. `validity` in seconds, a day at most. */
export function admit(
  admitted: Pick<Admission, 'subject' | 'platform' | 'dice' | 'device' | 'definition'>,
  { operator, audience }: ByOperator,
  validity = validityDefault,
): Promise<string> {
  const iat = Math.floor(Date.now() / 1000)
  const claims = { iss: operator.spiffeId, aud: audience, jti: randomUUID(), iat, exp: iat + validity }
  return signAdmission({ ...claims, ...admitted }, operator)
}
