import { appraise, type Evidence, isContradiction } from '@interlock/attestation'
import type { DeviceEntry } from '@interlock/contracts'
import type { Admission, DiceReference, KnownDice } from '@interlock/trust'
import { admitted, useAdmission } from './admissions.ts'
import { type Admitted, type Parts, RegistryError } from './parts.ts'
import { type Answer, assertActive, assertNotRevoked, reappraised, roleOfSubject, suspend } from './platform-endpoints.ts'
import { record } from './record.ts'

type DiceAdmission = Admission & { readonly dice: DiceReference; readonly device: NonNullable<Admission['device']> }

/** A device that was admitted by its DICE asks for a nonce. @throws RegistryError */
export function beginDice(admissionText: string, parts: Parts) {
  const { jti, subject } = diceAdmission(admissionText, parts)
  assertNotRevoked(subject, parts)
  return parts.challenges.issue(challenged(jti), parts.now())
}

/** Its answer. Recorded before it counts, and appraised as whoever it is admitted as, not as what it says. @throws RegistryError */
export async function finishDice(
  id: string,
  { admissionText, evidence }: { readonly admissionText: string; readonly evidence: Evidence },
  parts: Parts,
): Promise<Admitted> {
  const asked = parts.challenges.read(id, parts.now())
  const admission = diceAdmission(admissionText, parts)
  if (asked?.subject !== challenged(admission.jti)) throw new RegistryError('challenge-unknown')
  const { subject, device, dice: reference, jti } = admission
  const found = appraise(evidence, { kind: 'dice', nonce: asked.nonce, reference })
  if (!found.ok) throw new RegistryError(found.reason, found.detail)
  // Before the first wait: of two enrolments at once by one admission, one goes on (ATTACKS 131). So no question of it is answered twice.
  useAdmission(admission, parts)
  const { leafKey } = found.value
  const known: KnownDice = { kind: 'dice', subject, admission: jti, reference, leafKey, appraisedAt: parts.now() }
  await record(known, [], parts)
  parts.platforms.set(subject, known)
  const { attestationAgeMsMax, ...entry } = device
  await parts.log.device({ ...entry, attestation: attestationOf(known, attestationAgeMsMax) })
  return { subject, chain: [] }
}

/** A fresh appraisal of an enrolled device. @throws RegistryError */
export async function renewDice(known: KnownDice, { nonce, evidence, takeUp }: Answer, parts: Parts): Promise<Admitted> {
  const { subject, reference } = known
  const found = appraise(evidence, { kind: 'dice', nonce, reference })
  // Nobody's in particular: it uses nothing up.
  if (!found.ok && !isContradiction(found.reason)) throw new RegistryError(found.reason, found.detail)
  takeUp()
  if (!found.ok) {
    // Down from its own secret, by the key of what runs now, over our nonce: it is the device itself that runs something else.
    await suspend(known, found.reason, parts)
    throw new RegistryError(found.reason, found.detail)
  }
  const fresh: KnownDice = { ...known, leafKey: found.value.leafKey, appraisedAt: parts.now() }
  await record(fresh, [], parts)
  // It may have been suspended while this was written.
  assertActive(subject, parts)
  parts.platforms.set(subject, fresh)
  const role = roleOfSubject(subject)
  const entry = role?.kind === 'device' ? parts.devices().get(role.device) : undefined
  if (entry) await parts.log.device(reappraised(entry, attestationOf(fresh, entry.attestation.appraisalAgeMsMax)))
  return { subject, chain: [] }
}

/** By the admission, not the subject: a nonce for an enrolment is none for a renewal. */
const challenged = (jti: string) => `admission ${jti}`

function diceAdmission(text: string, parts: Parts): DiceAdmission {
  const admission = admitted(text, parts)
  const { dice, device } = admission
  if (!dice || !device) throw new RegistryError('admission-no-reference', 'it admits no device with a DICE')
  return { ...admission, dice, device }
}

const attestationOf = ({ leafKey, appraisedAt }: KnownDice, appraisalAgeMsMax: number): DeviceEntry['attestation'] => ({
  kind: 'dice',
  leafKey: leafKey.toString('base64url'),
  appraisedAt,
  appraisalAgeMsMax,
})
