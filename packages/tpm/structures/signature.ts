import { constants, type KeyObject, verify } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import { algorithm, coordinateLength, type HashName, hashLength, hashNamed } from './algorithms.ts'
import { ByteReader, MalformedBytes } from './byte-reader.ts'
import type { EccPublicArea, RsaPublicArea } from './public-area.ts'

/** TPMT_SIGNATURE (part 2, 11.3.4). */
export type TpmSignature =
  | { readonly algorithm: 'ecdsa'; readonly hash: HashName; readonly r: Buffer; readonly s: Buffer }
  | { readonly algorithm: 'rsassa' | 'rsapss'; readonly hash: HashName; readonly signature: Buffer }

function readSignature(reader: ByteReader): TpmSignature {
  const id = reader.u16()
  const hash = hashNamed(reader.u16())
  if (!hash) throw new MalformedBytes('signature hash')
  if (id === algorithm.ecdsa) return { algorithm: 'ecdsa', hash, r: reader.sized(48), s: reader.sized(48) }
  if (id === algorithm.rsassa) return { algorithm: 'rsassa', hash, signature: reader.sized(512) }
  if (id === algorithm.rsapss) return { algorithm: 'rsapss', hash, signature: reader.sized(512) }
  throw new MalformedBytes(`signature algorithm 0x${id.toString(16)}`)
}

/** Reads a TPMT_SIGNATURE; SHA-1, unknown algorithms and trailing bytes are refused. */
export function parseSignature(bytes: Uint8Array): Result<TpmSignature, 'signature-malformed'> {
  try {
    const reader = new ByteReader(bytes)
    const signature = readSignature(reader)
    reader.end()
    return accepted(signature)
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error
    return refused('signature-malformed', { because: error.message })
  }
}

/** r ‖ s of fixed length (IEEE P1363, JOSE), or undefined where a number is longer than the curve's. */
export function p1363Of(signature: Extract<TpmSignature, { algorithm: 'ecdsa' }>, length: number): Buffer | undefined {
  const { r, s } = signature
  if (r.length > length || s.length > length) return undefined
  const both = Buffer.alloc(2 * length)
  r.copy(both, length - r.length)
  s.copy(both, 2 * length - s.length)
  return both
}

/** Whether the key of `area` made `signature` over `bytes`. The scheme has been compared with the key's before. */
export function isSignedBy(
  area: Pick<RsaPublicArea, 'type'> | Pick<EccPublicArea, 'type' | 'curve'>,
  key: KeyObject,
  signature: TpmSignature,
  bytes: Uint8Array,
): boolean {
  if (signature.algorithm === 'ecdsa') {
    const fixed = area.type === 'ecc' && p1363Of(signature, coordinateLength[area.curve])
    return fixed ? verify(signature.hash, bytes, { key, dsaEncoding: 'ieee-p1363' }, fixed) : false
  }
  if (area.type !== 'rsa') return false
  if (signature.algorithm === 'rsassa')
    return verify(signature.hash, bytes, { key, padding: constants.RSA_PKCS1_PADDING }, signature.signature)
  return saltLengths(key, signature.hash).some((saltLength) =>
    verify(signature.hash, bytes, { key, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength }, signature.signature),
  )
}

/** A TPM takes the longest salt that there is room for (part 1, B.7), and under FIPS 186 one as long as the digest. Of another length none is a TPM's. */
function saltLengths(key: KeyObject, hash: HashName): number[] {
  const digestBytes = hashLength[hash]
  const encodedBytes = Math.ceil(((key.asymmetricKeyDetails?.modulusLength ?? 0) - 1) / 8)
  return [digestBytes, encodedBytes - digestBytes - 2]
}
