import type { KeyObject } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import { type AttributeRule, firstBrokenAttribute } from '../structures/object-attributes.ts'
import { nameOf, type PublicArea, parsePublicArea, publicKeyOf } from '../structures/public-area.ts'
import { type AttestationEvidence, equalBytes, verifyAttestation } from './attestation.ts'
import type { TpmReason } from './tpm-reason.ts'

export type CertifyEvidence = AttestationEvidence & {
  /** TPMT_PUBLIC of the key that the attestation key vouches for. */
  readonly certifiedKey: Uint8Array
  /** The key of the certificate request: it must be the certified one, else a software key rides on a TPM's word. */
  readonly requestKey: KeyObject
}

export type CertifiedKey = { readonly area: PublicArea; readonly name: Buffer; readonly publicKey: KeyObject }

/**
 * A key for proofs: made in the TPM and never to leave it, only for signing. It must not be restricted: it is to sign what
 * is not the TPM's, and nothing it signs is taken for an attestation.
 */
const instanceKeyRule: AttributeRule = {
  set: ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'sign'],
  clear: ['decrypt', 'restricted', 'x509sign', 'stClear', 'encryptedDuplication'],
}

/** Verifies that an attestation key certified the key of a certificate request (check 14). Pure. */
export function verifyCertify(evidence: CertifyEvidence): Result<CertifiedKey, TpmReason> {
  const attestation = verifyAttestation(evidence, 'certify')
  if (!attestation.ok) return attestation

  const certified = parsePublicArea(evidence.certifiedKey)
  if (!certified.ok) return certified
  const name = nameOf(certified.value)
  if (!equalBytes(attestation.value.attest.attested.name, name)) return refused('certified-name')

  const broken = firstBrokenAttribute(certified.value.attributes, instanceKeyRule)
  if (broken) return refused('certified-attributes', { attribute: broken })

  const publicKey = publicKeyOf(certified.value)
  if (!publicKey?.equals(evidence.requestKey)) return refused('certified-key')
  return accepted({ area: certified.value, name, publicKey })
}
