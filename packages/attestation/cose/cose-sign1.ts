import { type KeyObject, sign } from 'node:crypto'
import { verifySignature } from '@interlock/trust'
import { isBytes, mapOf, readCbor, writeCbor } from './cbor.ts'
import { coseAlgorithmOf } from './cose-key.ts'

/** An untagged COSE_Sign1 (RFC 9052 §4.2) as it says of itself: nothing here is verified. */
export type CoseSign1 = {
  readonly protectedHeader: Uint8Array
  readonly algorithm: number
  /** Undefined where the payload is detached. */
  readonly payload: Uint8Array | undefined
  readonly signature: Uint8Array
}

const algorithmLabel = 1
// A header that is not understood may change what a signature means, so there is none (RFC 9052 §3.1, crit).
const protectedLabels = new Set<unknown>([algorithmLabel])

/** Undefined where it is no COSE_Sign1, or has a header beside the algorithm. */
export function readCoseSign1(bytes: Uint8Array): CoseSign1 | undefined {
  const message = readCbor(bytes)
  if (!Array.isArray(message) || message.length !== 4) return undefined
  const [protectedHeader, unprotected, payload, signature] = message as unknown[]
  if (!isBytes(protectedHeader) || !isBytes(signature) || !(payload === null || isBytes(payload))) return undefined
  if (!mapOf(unprotected, new Set())) return undefined
  const algorithm = mapOf(readCbor(protectedHeader), protectedLabels)?.get(algorithmLabel)
  if (typeof algorithm !== 'number') return undefined
  return { protectedHeader, algorithm, payload: payload ?? undefined, signature }
}

/** RFC 9052 §4.4. `context` is the external_aad: a signature for one purpose is none for another. */
const toBeSigned = (protectedHeader: Uint8Array, context: string, payload: Uint8Array): Buffer =>
  writeCbor(['Signature1', protectedHeader, Buffer.from(context), payload])

/** Whether `key` signed `payload` for `context`, by the key's own algorithm. */
export function isCoseSignedBy(
  key: KeyObject,
  { protectedHeader, algorithm, signature }: CoseSign1,
  { context, payload }: { readonly context: string; readonly payload: Uint8Array },
): boolean {
  if (algorithm !== coseAlgorithmOf(key)) return false
  return verifySignature(key, toBeSigned(protectedHeader, context, payload), signature)
}

/** A COSE_Sign1 over `payload`, which is in it unless it is detached. @throws where the key is neither Ed25519 nor P-256 */
export function coseSign1(
  privateKey: KeyObject,
  { context, payload, isDetached }: { readonly context: string; readonly payload: Uint8Array; readonly isDetached: boolean },
): Buffer {
  const isEd25519 = privateKey.asymmetricKeyType === 'ed25519'
  if (!isEd25519 && privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1')
    throw new TypeError('the key is neither Ed25519 nor P-256')
  const protectedHeader = writeCbor(new Map([[algorithmLabel, isEd25519 ? -8 : -7]]))
  const bytes = toBeSigned(protectedHeader, context, payload)
  const signature = isEd25519
    ? sign(null, bytes, privateKey)
    : sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' })
  return writeCbor([protectedHeader, new Map(), isDetached ? null : payload, signature])
}
