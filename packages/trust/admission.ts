import { accepted, deviceEntrySchema, type Result, refused } from '@interlock/contracts'
import { z } from 'zod'
import {
  type OperatorStatementContext,
  type OperatorStatementReason,
  operatorClaims,
  signOperatorStatement,
  verifyOperatorStatement,
} from './operator-statement.ts'
import { diceReferenceSchema, platformReferenceSchema } from './reference-values.ts'
import type { SigningKey } from './signing-key.ts'
import { parseSpiffeId, roleOf } from './spiffe-id.ts'

const typ = 'admission+jwt'
/** An admission waits for one enrolment; who does not come within a day is admitted anew. */
const validityMsMax = 86_400_000

/** Of a device: all of its entry but what its evidence says. */
export const admittedDeviceSchema = deviceEntrySchema
  .omit({ attestation: true })
  // How old the appraisal of the device itself may become, milliseconds.
  .extend({ attestationAgeMsMax: z.int().min(1000) })

const schema = operatorClaims({
  /** SPIFFE ID of an agent's instance, of a device, or of a partner's agent. */
  subject: z.string().max(2048),
  /** Without a platform the agent may come as software alone, and its certificate will say so. */
  platform: platformReferenceSchema.optional(),
  /** Of a device without a TPM. */
  dice: diceReferenceSchema.optional(),
  device: admittedDeviceSchema.optional(),
  /** Of a partner's agent: the definition of ours that it counts as. */
  definition: z.string().max(64).optional(),
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
  const { subject, device, platform, dice, definition } = admission.value
  const id = parseSpiffeId(subject)
  if (!id.ok) return refused('subject', { subject: subject.slice(0, 200) })
  const role = roleOf(id.value)
  if (id.value.trustDomain !== context.anchors.trustDomain) {
    // A partner's agent is admitted by name, as one definition of ours, and as nothing that has a role here.
    const mayCount = (role === undefined || role.kind === 'agent') && definition !== undefined && !platform && !dice && !device
    return mayCount ? accepted(admission.value) : refused('subject', { subject })
  }
  const isDevice = role?.kind === 'device' && device?.device === role.device && device.spiffeId === subject
  const isAgent = role?.kind === 'agent' && device === undefined && dice === undefined
  if ((!isDevice && !isAgent) || definition !== undefined) return refused('subject', { subject })
  // A device answers with its TPM's or its DICE's key, or not at all; with one of them, or nobody could say which its acks are by.
  return isDevice && (platform === undefined) === (dice === undefined) ? refused('no-reference') : accepted(admission.value)
}
