import { appraise, type Evidence, isContradiction } from '@interlock/attestation'
import type { AgentEntry, DeviceEntry } from '@interlock/contracts'
import {
  type Admission,
  isRevoked,
  type Known,
  type KnownPlatform,
  keyDigest,
  type PlatformReference,
  parseSpiffeId,
  roleOf,
} from '@interlock/trust'
import { admitted, useAdmission } from './admissions.ts'
import { issueSvid } from './certificates.ts'
import type { Appraised, BeginRequest, PlatformAdmission } from './enrolment.ts'
import { type Admitted, type Parts, RegistryError } from './parts.ts'
import { record } from './record.ts'
import { withdrawCertificates } from './withdraw.ts'

/** An admitted platform shows its TPM. Returns what only that TPM can answer. @throws RegistryError */
export function begin(admissionText: string, request: BeginRequest, parts: Parts) {
  const admission = admitted(admissionText, parts)
  const { platform } = admission
  if (!platform) throw new RegistryError('admission-no-reference', 'it admits no platform with a TPM')
  assertNotRevoked(admission.subject, parts)
  const challenge = parts.enrolments.begin({ ...admission, platform }, request, parts.now())
  if (!challenge.ok) throw new RegistryError(challenge.reason, challenge.detail)
  return challenge.value
}

/** The TPM's answer. Recorded before anything is handed out: what was not recorded was not issued. @throws RegistryError */
export async function finish(id: string, secret: Buffer, evidence: Evidence, parts: Parts): Promise<Admitted> {
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

/** A fresh appraisal, and for an agent a fresh certificate: at half of its life, so that there is no gap. @throws RegistryError */
export async function renewPlatform(known: KnownPlatform, { nonce, evidence, takeUp }: Answer, parts: Parts): Promise<Admitted> {
  const { attestationKey, counters: previous, subject } = known
  const found = appraise(evidence, { kind: 'tpm', attestationKey, nonce, reference: referenceOf(known), previous })
  // Nobody's in particular: it uses nothing up.
  if (!found.ok && !isContradiction(found.reason)) throw new RegistryError(found.reason, found.detail)
  takeUp()
  if (!found.ok) {
    // Signed by the enrolled key over our nonce, so it is the platform itself that is not as it was (ATTACKS 28, 32, 34).
    await suspend(known, found.reason, parts)
    throw new RegistryError(found.reason, found.detail)
  }
  const { quote, key } = found.value
  const fresh: KnownPlatform = {
    ...known,
    pcrDigest: quote.pcrDigest.toString('base64url'),
    counters: countersOf(quote),
    firmware: quote.firmwareVersion,
    appraisedAt: parts.now(),
  }
  const role = roleOfSubject(subject)
  if (digestOf(key) !== known.key) throw new RegistryError('other-key', { subject })
  const chain = role?.kind === 'device' ? [] : await certify(subject, key, parts)
  await record(fresh, chain, parts)
  // It may have been suspended while this was written.
  assertActive(subject, parts)
  parts.platforms.set(subject, fresh)
  const entry = role?.kind === 'device' ? parts.devices().get(role.device) : undefined
  if (entry) await parts.log.device(reappraised(entry, attestationOf(fresh, entry.attestation.appraisalAgeMsMax)))
  if (role?.kind !== 'device') await parts.log.agent(`instance:${subject}`, instanceOf(fresh))
  return { subject, chain }
}

/** What was asked for, and what came. */
export type Answer = {
  readonly nonce: Buffer
  readonly evidence: Evidence
  /** Before the first wait, once the evidence is the platform's: a question has one answer (ATTACKS 23). @throws RegistryError where it had it */
  readonly takeUp: () => void
}

/** An entry of a device that was found good: one that had lapsed comes back. */
export const reappraised = (entry: DeviceEntry, attestation: DeviceEntry['attestation']): DeviceEntry => ({
  ...entry,
  state: 'active',
  attestation,
})

const referenceOf = ({ pcrs, pcrDigest, boot }: KnownPlatform): PlatformReference =>
  boot ? { pcrs: [...pcrs], boot } : { pcrs: [...pcrs], pcrDigest }

export const roleOfSubject = (subject: string) => {
  const parsed = parseSpiffeId(subject)
  return parsed.ok ? roleOf(parsed.value) : undefined
}

/** A suspended platform comes back by a new admission, not by asking again; one that only stayed away comes back by being found good. */
export function assertActive(subject: string, { agents, devices }: Parts): void {
  const role = roleOfSubject(subject)
  const entry = role?.kind === 'device' ? devices().get(role.device) : agents().get(`instance:${subject}`)
  // Appraised and not entered: a crash came between, or the entry is of a version that is not read any more. Only an admission makes it anew.
  if (!entry || !('state' in entry)) throw new RegistryError('subject-unknown', { subject }, 404)
  if (entry.state !== 'active' && entry.state !== 'lapsed') throw new RegistryError('not-active', { subject, state: entry.state })
}

/** A revocation is for good: no admission and no good boot brings back what it names. */
export function assertNotRevoked(subject: string, { revocations, now }: Parts): void {
  const role = roleOfSubject(subject)
  const id = role?.kind === 'device' ? `device:${role.device}` : `agent:${subject}`
  if (isRevoked([id], { revocations: revocations() }, now())) throw new RegistryError('revoked', { subject })
}

async function certify(subject: string, key: Appraised['key'], parts: Parts): Promise<Buffer[]> {
  if (!key) throw new RegistryError('key-missing', { subject })
  return issueSvid({ subject, publicKey: key, assurance: 'tpm' }, parts)
}

export async function suspend(known: Known, reason: string, parts: Parts): Promise<void> {
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
  const { pcrs } = platform
  return {
    kind: 'platform',
    ...{ subject, admission: jti, attestationKey, endorsement, model, pcrs },
    pcrDigest: quote.pcrDigest.toString('base64url'),
    ...('boot' in platform && { boot: platform.boot }),
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

const deviceOf = ({ attestationAgeMsMax, ...device }: NonNullable<Admission['device']>, known: KnownPlatform): DeviceEntry => ({
  ...device,
  attestation: attestationOf(known, attestationAgeMsMax),
})

const attestationOf = (known: KnownPlatform, appraisalAgeMsMax: number): DeviceEntry['attestation'] => ({
  kind: 'tpm',
  attestationKey: known.attestationKey.toString('base64url'),
  pcrs: [...known.pcrs],
  pcrDigest: known.pcrDigest,
  appraisedAt: known.appraisedAt,
  appraisalAgeMsMax,
})
