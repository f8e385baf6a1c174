import { accepted, type Result, refused } from '@interlock/contracts'
import { z } from 'zod'
import { readJws, signJws } from './jws.ts'
import { type BootPolicy, bootPolicySchema, type DiceReference, diceReferenceSchema } from './reference-values.ts'
import { type SigningKey, verifySignature } from './signing-key.ts'
import type { TrustAnchors } from './trust-anchors.ts'

const typ = 'eat+jwt'
/** draft-ietf-rats-ear: the profile of EAT attestation results. */
const profile = 'tag:ietf.org,2026:rats/ear#01'

const base64url = z.string().regex(/^[A-Za-z0-9_-]*$/)
const platformSchema = z.object({
  'ear.status': z.literal('affirming'),
  'ear.appraisal-policy-id': z.string(),
  /** What the next appraisal starts from. */
  'interlock.subject': z.string(),
  'interlock.admission': z.string(),
  'interlock.key': base64url,
  'interlock.attestation-key': base64url,
  'interlock.endorsement': base64url,
  'interlock.model': z.object({ manufacturer: z.string(), model: z.string(), version: z.string() }),
  'interlock.pcrs': z.array(z.int()),
  'interlock.pcr-digest': base64url,
  /** Where the boot is judged by its event log: `interlock.pcr-digest` is then what was quoted last. */
  'interlock.boot': bootPolicySchema.optional(),
  'interlock.firmware': z.string(),
  'interlock.counters': z.object({ clock: z.number(), resetCount: z.int(), restartCount: z.int() }),
})

const diceSchema = z.object({
  'ear.status': z.literal('affirming'),
  'ear.appraisal-policy-id': z.string(),
  'interlock.subject': z.string(),
  'interlock.admission': z.string(),
  'interlock.leaf-key': base64url,
  'interlock.dice': diceReferenceSchema,
})

/** Nobody looked at the platform: there was nothing to look at (AR4SI §2.3, `none`). */
const softwareSchema = z.object({
  'ear.status': z.literal('none'),
  'interlock.subject': z.string(),
  /** jti of the operator's admission; empty for a sub-agent, whom its parent brought up, and for a renewal. */
  'interlock.admission': z.string(),
  'interlock.key': base64url,
})

/** A certificate that was issued on the result. */
const certificateSchema = z.object({
  thumbprint: base64url,
  serial: z.string().regex(/^[0-9a-f]{1,40}$/),
  authority: base64url,
  definition: base64url,
  exp: z.int(),
})

const claimsSchema = z.object({
  eat_profile: z.literal(profile),
  iat: z.int(),
  'interlock.certificate': certificateSchema.optional(),
  'ear.verifier-id': z.object({ build: z.string(), developer: z.string() }),
  submods: z.union([
    z.strictObject({ platform: platformSchema }),
    z.strictObject({ dice: diceSchema }),
    z.strictObject({ software: softwareSchema }),
  ]),
})

/** A certificate as the registry keeps it. */
export type CertificateRecord = {
  /** base64url SHA-256 of it, and of the certificate of the authority that signed it. */
  readonly thumbprint: string
  readonly authority: string
  /** Hex. */
  readonly serial: string
  readonly definitionHash: string
  /** Milliseconds since 1970. */
  readonly notAfterMs: number
}

/** What is known of a platform with a TPM since its last good appraisal. */
export type KnownPlatform = {
  readonly kind: 'platform'
  readonly subject: string
  /** jti of the admission that it came with. */
  readonly admission: string
  /** base64url SHA-256 of the certified key's SubjectPublicKeyInfo; empty for a device. */
  readonly key: string
  readonly attestationKey: Buffer
  readonly endorsement: string
  readonly model: { readonly manufacturer: string; readonly model: string; readonly version: string }
  readonly pcrs: readonly number[]
  /** As it was quoted last: another one is another boot, unless `boot` says how the next is to be judged. */
  readonly pcrDigest: string
  readonly boot?: BootPolicy
  readonly firmware: string
  readonly counters: { readonly clock: number; readonly resetCount: number; readonly restartCount: number }
  /** Milliseconds since 1970. */
  readonly appraisedAt: number
  /** What was issued on it; a device gets none. */
  readonly certificate?: CertificateRecord
}

/** What is known of a device with a DICE since its last good appraisal. */
export type KnownDice = {
  readonly kind: 'dice'
  readonly subject: string
  readonly admission: string
  /** What it was appraised against, and is to be again. */
  readonly reference: DiceReference
  /** SubjectPublicKeyInfo of the last layer's key. */
  readonly leafKey: Buffer
  readonly appraisedAt: number
  /** A device gets none. */
  readonly certificate?: CertificateRecord
}

/** An agent that came as software alone. */
export type KnownSoftware = {
  readonly kind: 'software'
  readonly subject: string
  readonly admission: string
  readonly key: string
  readonly appraisedAt: number
  readonly certificate?: CertificateRecord
}

export type Known = KnownPlatform | KnownDice | KnownSoftware

/** Signs what an appraisal found as an EAR: for whoever wants to know, and for the registry itself after a restart. */
export function signAttestationResult(known: Known, key: SigningKey): Promise<string> {
  const claims: z.infer<typeof claimsSchema> = {
    eat_profile: profile,
    iat: Math.floor(known.appraisedAt / 1000),
    ...(known.certificate && { 'interlock.certificate': certificateClaims(known.certificate) }),
    'ear.verifier-id': { build: 'interlock-registry 0.1.0', developer: 'Interlock' },
    submods: submodsOf(known),
  }
  return signJws({ typ, kid: key.keyId }, claims, key)
}

function submodsOf(known: Known): z.infer<typeof claimsSchema>['submods'] {
  if (known.kind === 'platform') return { platform: platformClaims(known) }
  return known.kind === 'dice' ? { dice: diceClaims(known) } : { software: softwareClaims(known) }
}

const certificateClaims = ({ thumbprint, serial, authority, definitionHash, notAfterMs }: CertificateRecord) => ({
  ...{ thumbprint, serial, authority },
  definition: definitionHash,
  exp: Math.floor(notAfterMs / 1000),
})

const platformClaims = (known: KnownPlatform): z.infer<typeof platformSchema> => ({
  'ear.status': 'affirming',
  'ear.appraisal-policy-id': `pcrs:${known.pcrDigest}`,
  'interlock.subject': known.subject,
  'interlock.admission': known.admission,
  'interlock.key': known.key,
  'interlock.attestation-key': known.attestationKey.toString('base64url'),
  'interlock.endorsement': known.endorsement,
  'interlock.model': { ...known.model },
  'interlock.pcrs': [...known.pcrs],
  'interlock.pcr-digest': known.pcrDigest,
  ...(known.boot && { 'interlock.boot': known.boot }),
  'interlock.firmware': known.firmware,
  'interlock.counters': { ...known.counters },
})

const diceClaims = (known: KnownDice): z.infer<typeof diceSchema> => ({
  'ear.status': 'affirming',
  'ear.appraisal-policy-id': `dice:${known.reference.layers.length} layers`,
  'interlock.subject': known.subject,
  'interlock.admission': known.admission,
  'interlock.leaf-key': known.leafKey.toString('base64url'),
  'interlock.dice': known.reference,
})

const softwareClaims = (known: KnownSoftware): z.infer<typeof softwareSchema> => ({
  'ear.status': 'none',
  'interlock.subject': known.subject,
  'interlock.admission': known.admission,
  'interlock.key': known.key,
})

export type AttestationResultReason = 'result-malformed' | 'result-signer'

/** Reads back a result that a registry of this trust bundle signed. */
export function readAttestationResult(text: string, anchors: TrustAnchors): Result<Known, AttestationResultReason> {
  const jws = readJws(text)
  if (!jws.ok || jws.value.header.typ !== typ) return refused('result-malformed')
  const { header, payload, signature, signingInput } = jws.value
  const signer = typeof header.kid === 'string' ? anchors.signer(header.kid) : undefined
  if (signer?.role.kind !== 'service' || signer.role.service !== 'registry') return refused('result-signer')
  if (!verifySignature(signer.publicKey, signingInput, signature)) return refused('result-signer')
  const claims = claimsSchema.safeParse(payload)
  if (!claims.success) return refused('result-malformed', { at: claims.error.issues[0]?.path.join('.') ?? '' })
  const { submods, iat, 'interlock.certificate': issued } = claims.data
  const appraisedAt = iat * 1000
  if ('dice' in submods) return accepted(diceOf(submods.dice, appraisedAt))
  const known = 'platform' in submods ? platformOf(submods.platform, appraisedAt) : softwareOf(submods.software, appraisedAt)
  return accepted(issued ? { ...known, certificate: certificateOf(issued) } : known)
}

const certificateOf = ({ definition, exp, ...named }: z.infer<typeof certificateSchema>): CertificateRecord => ({
  ...named,
  definitionHash: definition,
  notAfterMs: exp * 1000,
})

const platformOf = (platform: z.infer<typeof platformSchema>, appraisedAt: number): KnownPlatform => ({
  kind: 'platform',
  subject: platform['interlock.subject'],
  admission: platform['interlock.admission'],
  key: platform['interlock.key'],
  attestationKey: Buffer.from(platform['interlock.attestation-key'], 'base64url'),
  endorsement: platform['interlock.endorsement'],
  model: platform['interlock.model'],
  pcrs: platform['interlock.pcrs'],
  pcrDigest: platform['interlock.pcr-digest'],
  ...(platform['interlock.boot'] && { boot: platform['interlock.boot'] }),
  firmware: platform['interlock.firmware'],
  counters: platform['interlock.counters'],
  appraisedAt,
})

const diceOf = (dice: z.infer<typeof diceSchema>, appraisedAt: number): KnownDice => ({
  kind: 'dice',
  subject: dice['interlock.subject'],
  admission: dice['interlock.admission'],
  reference: dice['interlock.dice'],
  leafKey: Buffer.from(dice['interlock.leaf-key'], 'base64url'),
  appraisedAt,
})

const softwareOf = (software: z.infer<typeof softwareSchema>, appraisedAt: number): KnownSoftware => ({
  kind: 'software',
  subject: software['interlock.subject'],
  admission: software['interlock.admission'],
  key: software['interlock.key'],
  appraisedAt,
})
