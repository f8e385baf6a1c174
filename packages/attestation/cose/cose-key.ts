import { createPublicKey, type JsonWebKey, type KeyObject } from 'node:crypto'
import { algorithmOf } from '@interlock/trust'
import { isBytes, mapOf, readCbor } from './cbor.ts'

/** RFC 9053: which numbers go with the keys that count, Ed25519 and P-256. */
const kinds = [
  { kty: 1, alg: -8, crv: 6, jwk: { kty: 'OKP', crv: 'Ed25519' }, coordinates: 1 },
  { kty: 2, alg: -7, crv: 1, jwk: { kty: 'EC', crv: 'P-256' }, coordinates: 2 },
] as const
const verifying = 2
/** kty, alg, key_ops, crv, x, y (RFC 9052 §7.1). */
const labels = new Set<unknown>([1, 3, 4, -1, -2, -3])

/** The COSE algorithm of a key: the key says which, never the message. Undefined for a key that is not on the list. */
export function coseAlgorithmOf(key: KeyObject): number | undefined {
  const algorithm = algorithmOf(key)
  if (!algorithm) return undefined
  return algorithm === 'EdDSA' ? -8 : -7
}

/** A COSE_Key of Ed25519 or P-256; undefined for anything else, also where its own algorithm is another's (RFC 9052 §7). */
export function readCoseKey(bytes: Uint8Array): KeyObject | undefined {
  const map = mapOf(readCbor(bytes), labels)
  const kind = kinds.find(({ kty, crv }) => map?.get(1) === kty && map.get(-1) === crv)
  if (!map || !kind) return undefined
  const operations = map.get(4)
  if (map.has(3) && map.get(3) !== kind.alg) return undefined
  if (map.has(4) && !(Array.isArray(operations) && operations.includes(verifying))) return undefined
  const [x, y] = [map.get(-2), map.get(-3)]
  if (!isBytes(x) || x.length !== 32) return undefined
  if (kind.coordinates === 2 ? !isBytes(y) || y.length !== 32 : map.has(-3)) return undefined
  return keyOf({ ...kind.jwk, x: text(x), ...(isBytes(y) && { y: text(y) }) })
}

/** The key as RFC 8032 and SEC 1 write it without a head: 32 bytes of Ed25519, x ‖ y of P-256. */
export function rawPublicKey(key: KeyObject): Buffer {
  const { x = '', y = '' } = key.export({ format: 'jwk' })
  return Buffer.concat([Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')])
}

const text = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url')

function keyOf(jwk: JsonWebKey): KeyObject | undefined {
  try {
    return createPublicKey({ key: jwk, format: 'jwk' })
  } catch {
    // No point on the curve.
    return undefined
  }
}
