import type { EndorsementPolicy } from './commands/activate-credential.ts'
import { algorithm, curve } from './structures/algorithms.ts'
import { sized, u16, u32 } from './structures/bytes.ts'
import { attributesOf } from './structures/object-attributes.ts'

const none = sized(Buffer.alloc(0))
const generated = ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin'] as const
const ecdsaSha256 = Buffer.concat([u16(algorithm.ecdsa), u16(algorithm.sha256)])

function p256SigningKey(attributes: number, x: Uint8Array, y: Uint8Array): Buffer {
  const type = [u16(algorithm.ecc), u16(algorithm.sha256), u32(attributes), none]
  return Buffer.concat([...type, u16(algorithm.null), ecdsaSha256, u16(curve.p256), u16(algorithm.null), sized(x), sized(y)])
}

/** The attestation key: ECC P-256, restricted, outside the lockout (an unorderly power-off is not a guess at a password). */
export const attestationKeyTemplate = p256SigningKey(
  attributesOf(...generated, 'userWithAuth', 'noDA', 'restricted', 'sign'),
  Buffer.alloc(0),
  Buffer.alloc(0),
)

/**
 * A key for proofs: ECC P-256, unrestricted. `label`, 32 bytes at most, goes where the template has its unique field, so that another
 * label is another key of the same TPM.
 */
export function signingKeyTemplate(label: string): Buffer {
  const bytes = Buffer.from(label)
  if (bytes.length > 32) throw new RangeError(`label of ${bytes.length} bytes: 32 at most`)
  return p256SigningKey(attributesOf(...generated, 'userWithAuth', 'noDA', 'sign'), bytes, Buffer.alloc(0))
}

/** A storage key, parent of wrapped keys (TCG TPM 2.0 Provisioning Guidance, 7.5.1). */
export const storageKeyTemplate = Buffer.concat([
  u16(algorithm.ecc),
  u16(algorithm.sha256),
  u32(attributesOf(...generated, 'userWithAuth', 'noDA', 'restricted', 'decrypt')),
  none,
  Buffer.concat([u16(algorithm.aes), u16(128), u16(algorithm.cfb)]),
  u16(algorithm.null),
  u16(curve.p256),
  u16(algorithm.null),
  none,
  none,
])

/** TPM2_PolicySecret(TPM_RH_ENDORSEMENT): PolicyA of the EK Credential Profile, B.6.2, under SHA-256 and under SHA-384. */
const policyA = Buffer.from('837197674484b3f81a90cc8d46a5d724fd52d76e06520b64f2a1da1b331469aa', 'hex')
const policyA384 = Buffer.from(
  '8bbf2266537c171cb56e403c4dc1d4b64f432611dc386e6f532050c3278c930e143e8bb1133824ccb431053871c6db53',
  'hex',
)
/** TPM2_PolicyAuthorizeNV with the profile's index: PolicyC, the other branch of PolicyB (B.6.4, B.6.5). */
const policyC384 = Buffer.from(
  'd6032ce61f2fb3c240eb3cf6a33237ef2b6a16f4293c22b455e261cffd217ad5b4947c2d73e63005eed2dc2b3593d165',
  'hex',
)
const policyB384 = Buffer.from(
  'b26e7d28d11a50bc53d882bcf5fd3a1a074148bb35d3b4e4cb1c0ad9bde419cacb47ba09699646150f9fc000f3f80e12',
  'hex',
)

/** An endorsement key: its template, where its certificate lies, and the policy that using it takes. */
export type EndorsementTemplate = {
  readonly publicArea: Buffer
  readonly certificateIndex: number
  readonly policy: EndorsementPolicy
}

/** Template L-1 (B.3.3): RSA 2048. */
export const rsaEndorsement: EndorsementTemplate = {
  publicArea: Buffer.concat([
    u16(algorithm.rsa),
    u16(algorithm.sha256),
    u32(attributesOf(...generated, 'adminWithPolicy', 'restricted', 'decrypt')),
    sized(policyA),
    Buffer.concat([u16(algorithm.aes), u16(128), u16(algorithm.cfb)]),
    u16(algorithm.null),
    u16(2048),
    u32(0),
    sized(Buffer.alloc(256)),
  ]),
  certificateIndex: 0x01c0_0002,
  policy: { hash: 'sha256', branches: [] },
}

/** Template L-2 (B.3.4): ECC P-256. */
export const p256Endorsement: EndorsementTemplate = {
  publicArea: Buffer.concat([
    u16(algorithm.ecc),
    u16(algorithm.sha256),
    u32(attributesOf(...generated, 'adminWithPolicy', 'restricted', 'decrypt')),
    sized(policyA),
    Buffer.concat([u16(algorithm.aes), u16(128), u16(algorithm.cfb)]),
    u16(algorithm.null),
    u16(curve.p256),
    u16(algorithm.null),
    sized(Buffer.alloc(32)),
    sized(Buffer.alloc(32)),
  ]),
  certificateIndex: 0x01c0_000a,
  policy: { hash: 'sha256', branches: [] },
}

/** Template H-3 (B.4.5): ECC P-384. What swtpm_setup certifies beside the RSA one. */
export const p384Endorsement: EndorsementTemplate = {
  publicArea: Buffer.concat([
    u16(algorithm.ecc),
    u16(algorithm.sha384),
    u32(attributesOf(...generated, 'userWithAuth', 'adminWithPolicy', 'restricted', 'decrypt')),
    sized(policyB384),
    Buffer.concat([u16(algorithm.aes), u16(256), u16(algorithm.cfb)]),
    u16(algorithm.null),
    u16(curve.p384),
    u16(algorithm.null),
    none,
    none,
  ]),
  certificateIndex: 0x01c0_0016,
  policy: { hash: 'sha384', branches: [policyA384, policyC384] },
}
