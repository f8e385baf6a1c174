import type { KeyObject } from 'node:crypto'

/** Certificate signature algorithms (RFC 5758, RFC 4055, RFC 8410) and the key type each goes with. SHA-1 never. */
const algorithms: Readonly<Record<string, { key: 'ec' | 'rsa' | 'ed25519'; hash: string | null }>> = {
  '1.2.840.10045.4.3.2': { key: 'ec', hash: 'sha256' },
  '1.2.840.10045.4.3.3': { key: 'ec', hash: 'sha384' },
  '1.2.840.113549.1.1.11': { key: 'rsa', hash: 'sha256' },
  '1.2.840.113549.1.1.12': { key: 'rsa', hash: 'sha384' },
  '1.3.101.112': { key: 'ed25519', hash: null },
}
const curves = ['prime256v1', 'secp384r1']

/** Whether a public key may be used at all: P-256, P-384, Ed25519, RSA from 2048 bits. */
export function isAllowedKey(key: KeyObject): boolean {
  const { asymmetricKeyType: type, asymmetricKeyDetails: details } = key
  if (type === 'ec') return curves.includes(details?.namedCurve ?? '')
  const bits = details?.modulusLength ?? 0
  return type === 'ed25519' || (type === 'rsa' && bits >= 2048 && bits <= 8192 && bits % 8 === 0)
}

/** The digest to verify with: null for Ed25519, undefined where the algorithm is not allowed or is not one of the key's. */
export function digestOfAlgorithm(oid: string, key: KeyObject): string | null | undefined {
  const algorithm = Object.hasOwn(algorithms, oid) ? algorithms[oid] : undefined
  return algorithm && algorithm.key === key.asymmetricKeyType && isAllowedKey(key) ? algorithm.hash : undefined
}
