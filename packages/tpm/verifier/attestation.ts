import { timingSafeEqual } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import { type Attest, type Attested, parseAttest } from '../structures/attest.ts'
import { type PublicArea, parsePublicArea, qualifiedNameOf } from '../structures/public-area.ts'
import { isSignedBy, parseSignature } from '../structures/signature.ts'
import { type AttestationKeyArea, readAttestationKey } from './attestation-key.ts'
import type { TpmReason } from './tpm-reason.ts'

/** What a verifier of any attestation knows beforehand, and what the device sent. */
export type AttestationEvidence = {
  /** TPMS_ATTEST as it came. */
  readonly attest: Uint8Array
  /** TPMT_SIGNATURE as it came. */
  readonly signature: Uint8Array
  /** TPMT_PUBLIC of the enrolled attestation key; never one that came along with the evidence. */
  readonly attestationKey: Uint8Array
  /** The nonce, or the digest that binds the statement to one context. Single use is the caller's to keep. */
  readonly expectedExtraData: Uint8Array
  /** TPMT_PUBLIC of the keys between the endorsement hierarchy and the attestation key, outermost first; none for a primary key. */
  readonly ancestors?: readonly Uint8Array[]
}

export type VerifiedAttestation<Type extends Attested['type']> = {
  readonly attestationKey: AttestationKeyArea
  readonly attest: Attest & { readonly attested: Extract<Attested, { type: Type }> }
}

const extraDataBytesMin = 16

export const equalBytes = (one: Uint8Array, other: Uint8Array): boolean =>
  one.length === other.length && timingSafeEqual(one, other)

function readAncestors(all: readonly Uint8Array[]): Result<PublicArea[], 'public-area-malformed'> {
  const areas: PublicArea[] = []
  for (const bytes of all) {
    const parsed = parsePublicArea(bytes)
    if (!parsed.ok) return parsed
    areas.push(parsed.value)
  }
  return accepted(areas)
}

const isType = <Type extends Attested['type']>(attest: Attest, type: Type): attest is VerifiedAttestation<Type>['attest'] =>
  attest.attested.type === type

/** What every attestation must hold, whatever it attests: key, signature, magic, type, nonce, signer. Pure. */
export function verifyAttestation<Type extends Attested['type']>(
  evidence: AttestationEvidence,
  type: Type,
): Result<VerifiedAttestation<Type>, TpmReason> {
  if (evidence.expectedExtraData.length < extraDataBytesMin) return refused('nonce-too-short', { bytesMin: extraDataBytesMin })

  const attestationKey = readAttestationKey(evidence.attestationKey)
  if (!attestationKey.ok) return attestationKey
  const { area, key, hash } = attestationKey.value
  const ancestors = readAncestors(evidence.ancestors ?? [])
  if (!ancestors.ok) return ancestors

  // The signature comes before a byte of the statement is read: a parser is no place for a stranger's bytes.
  const signature = parseSignature(evidence.signature)
  if (!signature.ok) return signature
  if (signature.value.algorithm !== area.scheme?.algorithm || signature.value.hash !== hash) {
    return refused('signature-scheme', { signed: `${signature.value.algorithm}/${signature.value.hash}` })
  }
  if (!isSignedBy(area, key, signature.value, evidence.attest)) return refused('signature-invalid')

  const attest = parseAttest(evidence.attest)
  if (!attest.ok) return attest
  if (!isType(attest.value, type)) return refused('attest-type', { type: attest.value.attested.type, expected: type })
  if (!equalBytes(attest.value.extraData, evidence.expectedExtraData)) return refused('nonce-mismatch')

  // Outside the endorsement hierarchy resetCount, restartCount and firmwareVersion are obfuscated per key (part 1, 36.7): the
  // qualified name shows the hierarchy, and so that the numbers are the real ones.
  const expectedSigner = qualifiedNameOf(area, ancestors.value)
  if (!equalBytes(attest.value.qualifiedSigner, expectedSigner)) return refused('qualified-signer')

  return accepted({ attestationKey: attestationKey.value, attest: attest.value })
}
