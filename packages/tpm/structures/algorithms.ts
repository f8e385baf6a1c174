/** TPM_ALG_ID (TCG Algorithm Registry), as far as this package speaks them. */
export const algorithm = {
  rsa: 0x0001,
  sha1: 0x0004,
  hmac: 0x0005,
  aes: 0x0006,
  keyedHash: 0x0008,
  sha256: 0x000b,
  sha384: 0x000c,
  sha512: 0x000d,
  null: 0x0010,
  rsassa: 0x0014,
  rsapss: 0x0016,
  ecdsa: 0x0018,
  ecc: 0x0023,
  cfb: 0x0043,
} as const

/** TPM_ECC_CURVE. */
export const curve = { p256: 0x0003, p384: 0x0004 } as const

export type HashName = 'sha256' | 'sha384' | 'sha512'
export type CurveName = 'P-256' | 'P-384'

/** SHA-1 is not here: nothing that is signed, named or measured with it counts. */
const hashes = new Map<number, HashName>([
  [algorithm.sha256, 'sha256'],
  [algorithm.sha384, 'sha384'],
  [algorithm.sha512, 'sha512'],
])

export const hashLength: Readonly<Record<HashName, number>> = { sha256: 32, sha384: 48, sha512: 64 }
export const hashId: Readonly<Record<HashName, number>> = {
  sha256: algorithm.sha256,
  sha384: algorithm.sha384,
  sha512: algorithm.sha512,
}
export const coordinateLength: Readonly<Record<CurveName, number>> = { 'P-256': 32, 'P-384': 48 }

export const hashNamed = (id: number): HashName | undefined => hashes.get(id)

export function curveNamed(id: number): CurveName | undefined {
  if (id === curve.p256) return 'P-256'
  if (id === curve.p384) return 'P-384'
  return undefined
}
