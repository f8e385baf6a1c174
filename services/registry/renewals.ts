import type { Evidence } from '@interlock/attestation'
import { renewDice } from './dice-endpoints.ts'
import { type Admitted, type Parts, RegistryError } from './parts.ts'
import { assertActive, assertNotRevoked, renewPlatform } from './platform-endpoints.ts'

/** Asks for a nonce. @throws RegistryError */
export function challenge(subject: string, { platforms, challenges, now }: Parts) {
  if (!platforms.has(subject)) throw new RegistryError('subject-unknown', { subject }, 404)
  const issued = challenges.issue(subject, now())
  if (!issued) throw new RegistryError('too-many-challenges', undefined, 503)
  return issued
}

/** Appraises anew who is enrolled: whoever can answer our nonce by the enrolled key is the platform. @throws RegistryError */
export async function renew(id: string, evidence: Evidence, parts: Parts): Promise<Admitted> {
  const { challenges, platforms, now } = parts
  const asked = challenges.take(id, now())
  const known = asked && platforms.get(asked.subject)
  if (!asked || !known) throw new RegistryError('challenge-unknown')
  assertActive(asked.subject, parts)
  assertNotRevoked(asked.subject, parts)
  const answer = { nonce: asked.nonce, evidence }
  return known.kind === 'dice' ? renewDice(known, answer, parts) : renewPlatform(known, answer, parts)
}
