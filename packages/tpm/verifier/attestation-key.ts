import type { KeyObject } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import type { HashName } from '../structures/algorithms.ts'
import { type AttributeRule, firstBrokenAttribute } from '../structures/object-attributes.ts'
import { type PublicArea, parsePublicArea, publicKeyOf } from '../structures/public-area.ts'
import type { TpmReason } from './tpm-reason.ts'

/**
 * Only a restricted signing key never signs forged attestations: an unrestricted one signs whatever it is handed, also bytes
 * that begin with the TPM's magic. That is the whole difference between a quote and a claim (TPM 2.0 part 1, 25.1.5).
 */
const attestationKeyRule: AttributeRule = {
  set: ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'restricted', 'sign'],
  clear: ['decrypt', 'x509sign', 'stClear', 'encryptedDuplication'],
}

const rsaBitsMin = 2048

/** A public area that may attest: attributes, scheme and strength are right. That it lives in a TPM is for enrolment to show. */
export type AttestationKeyArea = { readonly area: PublicArea; readonly key: KeyObject; readonly hash: HashName }

type Reason = Extract<TpmReason, 'public-area-malformed' | `attestation-key-${string}`>

/** Reads a TPMT_PUBLIC and refuses one whose signatures would not make an attestation (checks 1 and 2). */
export function readAttestationKey(bytes: Uint8Array): Result<AttestationKeyArea, Reason> {
  const parsed = parsePublicArea(bytes)
  if (!parsed.ok) return parsed
  const area = parsed.value

  const broken = firstBrokenAttribute(area.attributes, attestationKeyRule)
  if (broken) return refused('attestation-key-attributes', { attribute: broken })

  if (!area.scheme || area.symmetric)
    return refused('attestation-key-scheme', { because: 'a signing scheme and no symmetric one' })
  if ((area.scheme.algorithm === 'ecdsa') !== (area.type === 'ecc'))
    return refused('attestation-key-scheme', { scheme: area.scheme.algorithm })
  if (area.scheme.hash === 'unsupported') return refused('attestation-key-scheme', { because: 'hash is not of the SHA-2 family' })

  if (area.type === 'rsa' && area.modulus.length * 8 < rsaBitsMin)
    return refused('attestation-key-weak', { bits: area.modulus.length * 8 })
  if (area.type === 'rsa' && area.exponent < 65_537) return refused('attestation-key-weak', { exponent: area.exponent })
  const key = publicKeyOf(area)
  if (!key) return refused('attestation-key-weak', { because: 'no point on the curve' })

  return accepted({ area, key, hash: area.scheme.hash })
}
