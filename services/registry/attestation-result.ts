import { accepted, type Result, refused } from '@interlock/contracts'
import { readJws, type SigningKey, signJws, type TrustAnchors, verifySignature } from '@interlock/trust'
import { z } from 'zod'
import type { Appraised } from './enrolment.ts'

const typ = 'eat+jwt'
/** draft-ietf-rats-ear: the profile of EAT attestation results. */
const profile = 'tag:ietf.org,2026:rats/ear#01'

const base64url = z.string().regex(/^[A-Za-z0-9_-]*$/)
const claimsSchema = z.object({
  eat_profile: z.literal(profile),
  iat: z.int(),
  'ear.verifier-id': z.object({ build: z.string(), developer: z.string() }),
  submods: z.object({
    platform: z.object({
      'ear.status': z.enum(['affirming', 'contraindicated']),
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
      'interlock.firmware': z.string(),
      'interlock.counters': z.object({ clock: z.number(), resetCount: z.int(), restartCount: z.int() }),
    }),
  }),
})

/** What is known of a platform since its last good appraisal. */
export type KnownPlatform = {
  readonly subject: string
  /** jti of the admission that it came with. */
  readonly admission: string
  /** base64url SHA-256 of the certified key's SubjectPublicKeyInfo; empty for a device. */
  readonly key: string
  readonly attestationKey: Buffer
  readonly endorsement: string
  readonly model: Appraised['model']
  readonly pcrs: readonly number[]
  readonly pcrDigest: string
  readonly firmware: string
  readonly counters: { readonly clock: number; readonly resetCount: number; readonly restartCount: number }
  /** Milliseconds since 1970. */
  readonly appraisedAt: number
}

/** Signs what an appraisal found as an EAR: for whoever wants to know, and for the registry itself after a restart. */
export function signResult(known: KnownPlatform, policy: string, key: SigningKey): Promise<string> {
  const claims: z.infer<typeof claimsSchema> = {
    eat_profile: profile,
    iat: Math.floor(known.appraisedAt / 1000),
    'ear.verifier-id': { build: 'interlock-registry 0.1.0', developer: 'Interlock' },
    submods: {
      platform: {
        'ear.status': 'affirming',
        'ear.appraisal-policy-id': policy,
        'interlock.subject': known.subject,
        'interlock.admission': known.admission,
        'interlock.key': known.key,
        'interlock.attestation-key': known.attestationKey.toString('base64url'),
        'interlock.endorsement': known.endorsement,
        'interlock.model': { ...known.model },
        'interlock.pcrs': [...known.pcrs],
        'interlock.pcr-digest': known.pcrDigest,
        'interlock.firmware': known.firmware,
        'interlock.counters': { ...known.counters },
      },
    },
  }
  return signJws({ typ, kid: key.keyId }, claims, key)
}

/** Reads back a result that a registry of this trust bundle signed. */
export function readResult(text: string, anchors: TrustAnchors): Result<KnownPlatform, 'result-malformed' | 'result-signer'> {
  const jws = readJws(text)
  if (!jws.ok || jws.value.header.typ !== typ) return refused('result-malformed')
  const { header, payload, signature, signingInput } = jws.value
  const signer = typeof header.kid === 'string' ? anchors.signer(header.kid) : undefined
  if (signer?.role.kind !== 'service' || signer.role.service !== 'registry') return refused('result-signer')
  if (!verifySignature(signer.publicKey, signingInput, signature)) return refused('result-signer')
  const claims = claimsSchema.safeParse(payload)
  if (!claims.success) return refused('result-malformed', { at: claims.error.issues[0]?.path.join('.') ?? '' })
  const { platform } = claims.data.submods
  return accepted({
    subject: platform['interlock.subject'],
    admission: platform['interlock.admission'],
    key: platform['interlock.key'],
    attestationKey: Buffer.from(platform['interlock.attestation-key'], 'base64url'),
    endorsement: platform['interlock.endorsement'],
    model: platform['interlock.model'],
    pcrs: platform['interlock.pcrs'],
    pcrDigest: platform['interlock.pcr-digest'],
    firmware: platform['interlock.firmware'],
    counters: platform['interlock.counters'],
    appraisedAt: claims.data.iat * 1000,
  })
}
