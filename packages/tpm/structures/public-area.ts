import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import { algorithm, type CurveName, coordinateLength, curveNamed, type HashName, hashId, hashNamed } from './algorithms.ts'
import { ByteReader, MalformedBytes } from './byte-reader.ts'
import { u16, u32 } from './bytes.ts'

/** The signing scheme fixed in the key; `undefined` where it has none (TPM_ALG_NULL). */
export type SigningScheme = { readonly algorithm: 'ecdsa' | 'rsassa' | 'rsapss'; readonly hash: HashName | 'unsupported' }
export type SymmetricScheme = { readonly keyBits: number }

type PublicAreaFields = {
  /** The exact TPMT_PUBLIC: the name is computed over these and nothing else. */
  readonly bytes: Buffer
  readonly nameAlgorithm: HashName
  readonly attributes: number
  readonly authPolicy: Buffer
  /** AES-CFB of a storage or endorsement key. */
  readonly symmetric: SymmetricScheme | undefined
  readonly scheme: SigningScheme | undefined
}
export type EccPublicArea = PublicAreaFields & {
  readonly type: 'ecc'
  readonly curve: CurveName
  readonly x: Buffer
  readonly y: Buffer
}
export type RsaPublicArea = PublicAreaFields & { readonly type: 'rsa'; readonly modulus: Buffer; readonly exponent: number }
export type PublicArea = EccPublicArea | RsaPublicArea

const schemes = new Map<number, SigningScheme['algorithm']>([
  [algorithm.ecdsa, 'ecdsa'],
  [algorithm.rsassa, 'rsassa'],
  [algorithm.rsapss, 'rsapss'],
])

function readSymmetric(reader: ByteReader): SymmetricScheme | undefined {
  const id = reader.u16()
  if (id === algorithm.null) return undefined
  const keyBits = reader.u16()
  if (id !== algorithm.aes || (keyBits !== 128 && keyBits !== 256) || reader.u16() !== algorithm.cfb)
    throw new MalformedBytes('symmetric')
  return { keyBits }
}

function readScheme(reader: ByteReader): SigningScheme | undefined {
  const id = reader.u16()
  if (id === algorithm.null) return undefined
  const name = schemes.get(id)
  if (!name) throw new MalformedBytes(`signing scheme 0x${id.toString(16)}`)
  return { algorithm: name, hash: hashNamed(reader.u16()) ?? 'unsupported' }
}

function readArea(bytes: Buffer): PublicArea {
  const reader = new ByteReader(bytes)
  const type = reader.u16()
  const nameAlgorithm = hashNamed(reader.u16())
  if (!nameAlgorithm) throw new MalformedBytes('name algorithm')
  const attributes = reader.u32()
  const authPolicy = reader.sized(64)
  const symmetric = readSymmetric(reader)
  const scheme = readScheme(reader)
  const fields = { bytes, nameAlgorithm, attributes, authPolicy, symmetric, scheme }
  if (type === algorithm.ecc) {
    const curve = curveNamed(reader.u16())
    if (!curve || reader.u16() !== algorithm.null) throw new MalformedBytes('curve or key derivation')
    const area: EccPublicArea = {
      ...fields,
      type: 'ecc',
      curve,
      x: reader.sized(coordinateLength[curve]),
      y: reader.sized(coordinateLength[curve]),
    }
    reader.end()
    return area
  }
  if (type !== algorithm.rsa) throw new MalformedBytes(`object type 0x${type.toString(16)}`)
  const bits = reader.u16()
  if (bits < 1024 || bits > 4096 || bits % 8 !== 0) throw new MalformedBytes(`RSA of ${bits} bits`)
  const exponent = reader.u32() || 65_537
  const modulus = reader.sized(bits / 8)
  reader.end()
  if (modulus.length !== bits / 8) throw new MalformedBytes('RSA modulus shorter than its key bits')
  return { ...fields, type: 'rsa', exponent, modulus }
}

/** Reads a TPMT_PUBLIC (part 2, 12.2.4) of an RSA or P-256/P-384 key. Nothing may follow it. */
export function parsePublicArea(bytes: Uint8Array): Result<PublicArea, 'public-area-malformed'> {
  try {
    return accepted(readArea(Buffer.from(bytes)))
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error
    return refused('public-area-malformed', { because: error.message })
  }
}

/** The object's Name (part 1, 16): what a credential, a certification and a qualified name bind to. */
export function nameOf(area: Pick<PublicArea, 'bytes' | 'nameAlgorithm'>): Buffer {
  return Buffer.concat([u16(hashId[area.nameAlgorithm]), createHash(area.nameAlgorithm).update(area.bytes).digest()])
}

export const endorsementHierarchy = 0x4000_000b

/**
 * The Qualified Name (part 1, 26.5) of a key in the endorsement hierarchy; `ancestors` are the public areas between the
 * hierarchy and the key, outermost first, none for a primary key.
 */
export function qualifiedNameOf(area: PublicArea, ancestors: readonly PublicArea[]): Buffer {
  let qualified: Buffer = u32(endorsementHierarchy)
  for (const each of [...ancestors, area]) {
    const hash = createHash(each.nameAlgorithm).update(qualified).update(nameOf(each)).digest()
    qualified = Buffer.concat([u16(hashId[each.nameAlgorithm]), hash])
  }
  return qualified
}

const padded = (bytes: Buffer, length: number): Buffer => Buffer.concat([Buffer.alloc(length - bytes.length), bytes])

/** The key for node:crypto, or undefined where OpenSSL refuses it (a point off the curve). */
export function publicKeyOf(area: PublicArea): KeyObject | undefined {
  try {
    if (area.type === 'rsa') {
      const key = { kty: 'RSA', n: area.modulus.toString('base64url'), e: u32(area.exponent).toString('base64url') }
      return createPublicKey({ key, format: 'jwk' })
    }
    const length = coordinateLength[area.curve]
    const key = {
      kty: 'EC',
      crv: area.curve,
      x: padded(area.x, length).toString('base64url'),
      y: padded(area.y, length).toString('base64url'),
    }
    return createPublicKey({ key, format: 'jwk' })
  } catch {
    return undefined
  }
}
