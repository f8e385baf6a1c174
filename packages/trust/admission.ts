import { accepted, deviceEntrySchema, type Result, refused } from '@interlock/contracts'
import { z } from 'zod'
import {
  type OperatorStatementContext,
  type OperatorStatementReason,
  operatorClaims,
  signOperatorStatement,
  verifyOperatorStatement,
} from './operator-statement.ts'
import type { SigningKey } from './signing-key.ts'
import { parseSpiffeId, roleOf } from './spiffe-id.ts'

const typ = 'admission+jwt'
/** An admission waits for one enrolment; who does not come within a day is admitted anew. */
const validityMsMax = 86_400_000
const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

/** Reference values that evidence is appraised against. */
export const platformReferenceSchema = z.strictObject({
  /** PCRs of the SHA-256 bank, ascending, and the digest over their values. */
  pcrs: z.array(z.int().min(0).max(23)).min(1).max(24),
  pcrDigest: digest,
  /** base64url SHA-256 of the endorsement certificate, where the very TPM is known beforehand. */
  endorsement: digest.optional(),
})
export type PlatformReference = z.infer<typeof platformReferenceSchema>

/** Of a device: all of its entry but what the TPM says. */
export const admittedDeviceSchema = deviceEntrySchema
  .omit({ tpm: true })
  // How old an appraisal of the device itself may become, milliseconds.
  .extend({ tpmAppraisalAgeMsMax: z.int().min(1000) })

const schema = operatorClaims({
  /** SPIFFE ID of an agent's instance or of a device. */
  subject: z.string().max(2048),
  /** Without a platform the agent may come as software alone, and its certificate will say so. */
  platform: platformReferenceSchema.optional(),
  device: admittedDeviceSchema.optional(),
})

export type Admission = z.infer<typeof schema>
export type AdmissionReason = OperatorStatementReason | 'subject' | 'no-reference'

/** An operator admits a machine: by this, and only by this, an enrolment may begin. */
export function signAdmission(claims: Admission, key: SigningKey): Promise<string> {
  return signOperatorStatement(typ, claims, key)
}

/** An operator of the trust bundle admitted this subject, for us, and the time is right. Single use is the caller's to keep. */
export function verifyAdmission(text: string, context: OperatorStatementContext): Result<Admission, AdmissionReason> {
  const admission = verifyOperatorStatement(text, { typ, schema, validityMsMax }, context)
  if (!admission.ok) return admission
  const { subject, device, platform } = admission.value
  const id = parseSpiffeId(subject)
  const role = id.ok && id.value.trustDomain === context.anchors.trustDomain ? roleOf(id.value) : undefined
  const isDevice = role?.kind === 'device' && device?.device === role.device && device.spiffeId === subject
  const isAgent = role?.kind === 'agent' && device === undefined
  if (!isDevice && !isAgent) return refused('subject', { subject: subject.slice(0, 200) })
  // A device answers with a TPM's key or not at all.
  return isDevice && !platform ? refused('no-reference') : accepted(admission.value)
}
