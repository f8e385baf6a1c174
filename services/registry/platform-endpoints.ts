import type { AgentEntry, DeviceEntry } from '@interlock/contracts'
import { type Admission, isRevoked, type KnownPlatform, keyDigest, parseSpiffeId, roleOf } from '@interlock/trust'
import { admitted, useAdmission } from './admissions.ts'
import { issueSvid } from './certificates.ts'
import { type Appraised, appraise, type BeginRequest, type PlatformAdmission, type PlatformEvidence } from './enrolment.ts'
import { type Admitted, type Parts, RegistryError } from './parts.ts'
import { record } from './record.ts'
import { withdrawCertificates } from './withdraw.ts'

/** An admitted platform shows its TPM. Returns what only that TPM can answer. @throws RegistryError */
export function begin(admissionText: string, request: BeginRequest, parts: Parts) {
  const admission = admitted(admissionText, parts)
  const { platform } = admission
  if (!platform) throw new RegistryError('admission-no-reference', 'it admits software alone')
  assertNotRevoked(admission.subject, parts)
  const challenge = parts.enrolments.begin({ ...admission, platform }, request, parts.now())
  if (!challenge.ok) throw new RegistryError(challenge.reason, challenge.detail)
  return challenge.value
}

/** The TPM's answer. Recorded before anything is handed out: what was not recorded was not issued. @throws RegistryError */
export async function finish(id: string, secret: Buffer, evidence: PlatformEvidence, parts: Parts): Promise<Admitted> {
  const { enrolments, now } = parts
  const found = enrolments.finish(id, secret, evidence, now())
  if (!found.ok) throw new RegistryError(found.reason, found.detail)
  const { admission, appraised } = found.value
  // Before the first wait: of two enrolments at once by one admission, one goes on (ATTACKS 131).
  useAdmission(admission, parts)
  const known = knownOf(admission, appraised, now())
  const chain = admission.device ? [] : await certify(admission.subject, appraised.key, parts)
  await record(known, chain, parts)
  parts.platforms.set(known.subject, known)
  if (admission.device) await parts.log.device(deviceOf(admission.device, known))
  else await parts.log.agent(`instance:${admission.subject}`, instanceOf(known))
  return { subject: admission.subject, chain }
}

/** Asks for a nonce. @throws RegistryError */
export function challenge(subject: string, { platforms, challenges, now }: Parts) {
  if (!platforms.has(subject)) throw new RegistryError('subject-unknown', { subject }, 404)
  const issued = challenges.issue(subject, now())
  if (!issued) throw new RegistryError('too-many-challenges', undefined, 503)
  return issued
}

/**
 * A fresh appraisal, and for an agent a fresh certificate: at half of its life, so that there is no gap. Whoever can quote with the enrolled
 * attestation key over our nonce is the platform. @throws RegistryError
 */
export async function renew(id: string, evidence: PlatformEvidence, parts: Parts): Promise<Admitted> {
  const { challenges, platforms, now } = parts
  const asked = challenges.take(id, now())
  const known = asked && platforms.get(asked.subject)
  if (!asked || !known) throw new RegistryError('challenge-unknown')
  assertActive(asked.subject, parts)
  assertNotRevoked(asked.subject, parts)
  const { attestationKey, counters } = known
  const found = appraise({ attestationKey, nonce: asked.nonce, evidence, reference: known, previous: counters })
  if (!found.ok) {
    // Signed by the enrolled key over our nonce, so it is the platform itself that is not as it was (ATTACKS 27, 32, 34).
    if (isPlatformsFault.has(found.reason)) await suspend(known, found.reason, parts)
    throw new RegistryError(found.reason, found.detail)
  }
  const fresh: KnownPlatform = {
    ...known,
    counters: countersOf(found.value.quote),
    firmware: found.value.quote.firmwareVersion,
    appraisedAt: now(),
  }
  const isDevice = roleOfSubject(asked.subject)?.kind === 'device'
  if (digestOf(found.value.key) !== known.key) throw new RegistryError('other-key', { subject: asked.subject })
  const chain = isDevice ? [] : await certify(asked.subject, found.value.key, parts)
  await record(fresh, chain, parts)
  parts.platforms.set(fresh.subject, fresh)
  const entry = parts.devices().get(asked.subject.split('/').at(-1) ?? '')
  if (isDevice && entry)
    await parts.log.device({ ...entry, state: 'active', tpm: { ...entry.tpm, appraisedAt: fresh.appraisedAt } })
  if (!isDevice) await parts.log.agent(`instance:${asked.subject}`, instanceOf(fresh))
  return { subject: asked.subject, chain }
}

/** What a signature that is good says of the platform; all else may be a stranger's word, who must not be able to suspend anybody. */
const isPlatformsFault: ReadonlySet<string> = new Set(['pcr-digest', 'counter-rollback'])

const roleOfSubject = (subject: string) => {
  const parsed = parseSpiffeId(subject)
  return parsed.ok ? roleOf(parsed.value) : undefined
}

/** A suspended platform comes back by a new admission, not by asking again; one that only stayed away comes back by being found good. */
function assertActive(subject: string, { agents, devices }: Parts): void {
  const role = roleOfSubject(subject)
  const entry = role?.kind === 'device' ? devices().get(role.device) : agents().get(`instance:${subject}`)
  const state = entry && 'state' in entry ? entry.state : undefined
  if (state !== 'active' && state !== 'lapsed') throw new RegistryError('not-active', { subject, state: state ?? 'unknown' })
}

/** A revocation is for good: no admission and no good boot brings back what it names. */
function assertNotRevoked(subject: string, { revocations, now }: Parts): void {
  const role = roleOfSubject(subject)
  const id = role?.kind === 'device' ? `device:${role.device}` : `agent:${subject}`
  if (isRevoked([id], { revocations: revocations() }, now())) throw new RegistryError('revoked', { subject })
}

async function certify(subject: string, key: Appraised['key'], parts: Parts): Promise<Buffer[]> {
  if (!key) throw new RegistryError('key-missing', { subject })
  return issueSvid({ subject, publicKey: key, assurance: 'tpm' }, parts)
}

async function suspend(known: KnownPlatform, reason: string, parts: Parts): Promise<void> {
  const { log, agents, devices, now } = parts
  const { subject, appraisedAt } = known
  await log.appraised({ subject, status: 'contraindicated', reason, certificate: '', result: '', appraisedAt: now() })
  const role = roleOfSubject(subject)
  const device = role?.kind === 'device' ? devices().get(role.device) : undefined
  if (device) await log.device({ ...device, state: 'suspended' })
  const instance = agents().get(`instance:${subject}`)
  if (instance?.kind === 'instance') await log.agent(`instance:${subject}`, { ...instance, state: 'suspended' })
  await withdrawCertificates(subject, reason, parts)
  await parts.alerts.raise({
    rule: reason === 'counter-rollback' ? reason : 'appraisal-failed',
    severity: 'critical',
    subject,
    title: reason === 'counter-rollback' ? 'A TPM’s counters went back' : 'A platform is not what it was',
    message: `${subject} is suspended (${reason}): look at the machine, then admit it anew`,
    evidence: { reason, appraisedAt },
    occasion: appraisedAt,
  })
}

/** Of an agent's key; a device has none beside its attestation key. */
const digestOf = (key: Appraised['key']): string => (key ? keyDigest(key) : '')

const countersOf = ({ clockMs, resetCount, restartCount }: Appraised['quote']) => ({ clock: clockMs, resetCount, restartCount })

function knownOf({ subject, jti, platform }: PlatformAdmission, appraised: Appraised, now: number): KnownPlatform {
  const { attestationKey, endorsement, model, quote } = appraised
  const { pcrs, pcrDigest } = platform
  return {
    kind: 'platform',
    ...{ subject, admission: jti, attestationKey, endorsement, model, pcrs, pcrDigest },
    key: digestOf(appraised.key),
    firmware: quote.firmwareVersion,
    counters: countersOf(quote),
    appraisedAt: now,
  }
}

function instanceOf({ subject, appraisedAt }: KnownPlatform): AgentEntry {
  const definition = subject.split('/').at(-2) ?? ''
  return { kind: 'instance', spiffeId: subject, definition, assurance: 'tpm', appraisedAt, state: 'active' }
}

function deviceOf({ tpmAppraisalAgeMsMax, ...device }: NonNullable<Admission['device']>, known: KnownPlatform): DeviceEntry {
  return {
    ...device,
    tpm: {
      attestationKey: known.attestationKey.toString('base64url'),
      pcrs: [...known.pcrs],
      pcrDigest: known.pcrDigest,
      appraisedAt: known.appraisedAt,
      appraisalAgeMsMax: tpmAppraisalAgeMsMax,
    },
  }
}
