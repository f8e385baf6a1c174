import { accepted, deviceEntrySchema, type Result, refused } from '@interlock/contracts'
import { z } from 'zod'
import { type JwsReason, readJws, signJws } from './jws.ts'
import { algorithmOf, type SigningKey, verifySignature } from './signing-key.ts'
import { parseSpiffeId, roleOf } from './spiffe-id.ts'
import type { TrustAnchors } from './trust-anchors.ts'

const typ = 'admission+jwt'
/** An admission waits for one enrolment; who does not come within a day is admitted anew. */
const validityMsMax = 86_400_000

const claimsSchema = z.strictObject({
  iss: z.string().max(2048),
  aud: z.string().max(256),
  jti: z.string().min(16).max(64),
  iat: z.int().min(0),
  exp: z.int().min(0),
  /** SPIFFE ID of an agent's instance or of a device. */
  subject: z.string().max(2048),
  /** Reference values of the platform: PCRs of the SHA-256 bank, ascending, and the digest over their values. */
  pcrs: z.array(z.int().min(0).max(23)).min(1).max(24),
  pcrDigest: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  /** base64url SHA-256 of the endorsement certificate, where the very TPM is known beforehand. */
  endorsement: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/)
    .optional(),
  /** Of a device: all of its entry but what the TPM says. */
  device: deviceEntrySchema
    .omit({ tpm: true })
    // How old an appraisal of the device itself may become, milliseconds.
    .extend({ tpmAppraisalAgeMsMax: z.int().min(1000) })
    .optional(),
})

export type Admission = z.infer<typeof claimsSchema>
export type AdmissionReason =
  | JwsReason
  | 'header'
  | 'claims'
  | 'signer'
  | 'signature'
  | 'audience'
  | 'not-yet-valid'
  | 'expired'
  | 'validity-too-long'
  | 'subject'

/** An operator admits a machine: by this, and only by this, an enrolment may begin. */
export function signAdmission(claims: Admission, key: SigningKey): Promise<string> {
  return signJws({ typ, kid: key.keyId }, claims, key)
}

/** An operator of the trust bundle admitted this subject, for us, and the time is right. Single use is the caller's to keep. */
export function verifyAdmission(
  text: string,
  { anchors, now, skewMs }: { readonly anchors: TrustAnchors; readonly now: number; readonly skewMs: number },
): Result<Admission, AdmissionReason> {
  const jws = readJws(text)
  if (!jws.ok) return jws
  const { header, payload, signature, signingInput } = jws.value
  if (header.typ !== typ || typeof header.kid !== 'string' || Object.keys(header).length !== 3) return refused('header')
  const claims = claimsSchema.safeParse(payload)
  if (!claims.success) return refused('claims', { at: claims.error.issues[0]?.path.join('.') ?? '' })
  const signer = anchors.signer(header.kid)
  if (signer?.role.kind !== 'operator' || claims.data.iss !== signer.spiffeId || now > signer.notAfterMs) return refused('signer')
  if (header.alg !== algorithmOf(signer.publicKey) || !verifySignature(signer.publicKey, signingInput, signature))
    return refused('signature')
  const { aud, iat, exp, subject, device } = claims.data
  if (aud !== anchors.audience) return refused('audience', { aud })
  if (iat * 1000 > now + skewMs) return refused('not-yet-valid')
  if (exp * 1000 <= now) return refused('expired', { exp })
  if (exp <= iat || (exp - iat) * 1000 > validityMsMax) return refused('validity-too-long')
  const id = parseSpiffeId(subject)
  const role = id.ok && id.value.trustDomain === anchors.trustDomain ? roleOf(id.value) : undefined
  const isDevice = role?.kind === 'device' && device?.device === role.device && device.spiffeId === subject
  const isAgent = role?.kind === 'agent' && device === undefined
  return isDevice || isAgent ? accepted(claims.data) : refused('subject', { subject: subject.slice(0, 200) })
}
