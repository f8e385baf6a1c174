import type { Evidence } from '@interlock/attestation'
import { renewDice } from './dice-endpoints.ts'
import { type Admitted, type Parts, RegistryError } from './parts.ts'
import { assertActive, assertNotRevoked, renewPlatform } from './platform-endpoints.ts'

/** Asks for a nonce. @throws RegistryError */
export function challenge(subject: string, { platforms, challenges, now }: Parts) {
  if (!platforms.has(subject)) throw new RegistryError('subject-unknown', { subject }, 404)
  return challenges.issue(subject, now())
}

/** Appraises anew who is enrolled: whoever can answer our nonce by the enrolled key is the platform. @throws RegistryError */
export async function renew(id: string, evidence: Evidence, parts: Parts): Promise<Admitted> {
  const { challenges, platforms, now } = parts
  const asked = challenges.read(id, now())
  const known = asked && platforms.get(asked.subject)
  if (!asked || !known) throw new RegistryError('challenge-unknown')
  assertActive(asked.subject, parts)
  assertNotRevoked(asked.subject, parts)
  const takeUp = () => {
    if (!challenges.answer(asked, now())) throw new RegistryError('challenge-unknown', 'answered before')
  }
  const answer = { nonce: asked.nonce, evidence, takeUp }
  return known.kind === 'dice' ? renewDice(known, answer, parts) : renewPlatform(known, answer, parts)
}
