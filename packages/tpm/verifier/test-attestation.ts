import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { algorithm, curve, type HashName, hashId } from '../structures/algorithms.ts'
import { attestType, tpmGenerated } from '../structures/attest.ts'
import { sized, u8, u16, u32 } from '../structures/bytes.ts'
import { sha256Selection } from '../structures/pcr-selection.ts'
import { parsePublicArea, qualifiedNameOf } from '../structures/public-area.ts'
import { pcrDigestOf } from './pcr-digest.ts'
import type { QuoteEvidence } from './verify-quote.ts'

/**
 * Attestations as a TPM makes them, from a key in software, so that a test can give each field any value and still sign it: the
 * check under test is then the only thing between a forgery and its acceptance.
 */
export const attestationAttributes = 0x0005_0472

export type SoftwareKey = { readonly publicArea: Buffer; readonly privateKey: KeyObject; sign(bytes: Uint8Array): Buffer }

const u64 = (value: number | bigint): Buffer => {
  const bytes = Buffer.alloc(8)
  bytes.writeBigUInt64BE(BigInt(value))
  return bytes
}

export const ecdsaSignature = (hash: number, p1363: Buffer): Buffer =>
  Buffer.concat([
    u16(algorithm.ecdsa),
    u16(hash),
    sized(p1363.subarray(0, p1363.length / 2)),
    sized(p1363.subarray(p1363.length / 2)),
  ])

export type AreaOptions = { attributes?: number; scheme?: number[]; nameAlgorithm?: number }

export function p256Area(key: KeyObject, options: AreaOptions = {}): Buffer {
  const {
    attributes = attestationAttributes,
    scheme = [algorithm.ecdsa, algorithm.sha256],
    nameAlgorithm = algorithm.sha256,
  } = options
  const { x, y } = key.export({ format: 'jwk' }) as { x: string; y: string }
  const head = [u16(algorithm.ecc), u16(nameAlgorithm), u32(attributes), sized(Buffer.alloc(0)), u16(algorithm.null)]
  const point = [sized(Buffer.from(x, 'base64url')), sized(Buffer.from(y, 'base64url'))]
  return Buffer.concat([...head, ...scheme.map(u16), u16(curve.p256), u16(algorithm.null), ...point])
}

export function softwareKey(options: AreaOptions & { hash?: HashName } = {}): SoftwareKey {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const hash = options.hash ?? 'sha256'
  return {
    publicArea: p256Area(publicKey, options),
    privateKey,
    sign: (bytes) => ecdsaSignature(hashId[hash], sign(hash, bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' })),
  }
}

export function rsaArea(key: KeyObject, { attributes = attestationAttributes, bits = 2048, exponent = 0 } = {}): Buffer {
  const modulus = Buffer.from((key.export({ format: 'jwk' }) as { n: string }).n, 'base64url')
  const head = [u16(algorithm.rsa), u16(algorithm.sha256), u32(attributes), sized(Buffer.alloc(0)), u16(algorithm.null)]
  return Buffer.concat([...head, u16(algorithm.rsassa), u16(algorithm.sha256), u16(bits), u32(exponent), sized(modulus)])
}

/** The qualified name of a key in the endorsement hierarchy; of a primary key where it has no ancestors. */
export function endorsementSigner(publicArea: Uint8Array, ancestors: Uint8Array[] = []): Buffer {
  const [area, ...above] = [publicArea, ...ancestors].map((bytes) => {
    const parsed = parsePublicArea(bytes)
    if (!parsed.ok) throw new Error(parsed.reason)
    return parsed.value
  })
  if (!area) throw new Error('no area')
  return qualifiedNameOf(area, above)
}

export type AttestFields = {
  magic?: number
  type?: number
  signer: Buffer
  extraData: Uint8Array
  clock?: number | bigint
  resetCount?: number
  restartCount?: number
  safe?: number
  attested: Uint8Array
  tail?: Uint8Array
}

export function attestBytes(fields: AttestFields): Buffer {
  const { magic = tpmGenerated, type = attestType.quote, clock = 60_000, resetCount = 3, restartCount = 1, safe = 1 } = fields
  const head = [u32(magic), u16(type), sized(fields.signer), sized(fields.extraData)]
  const clockInfo = [u64(clock), u32(resetCount), u32(restartCount), u8(safe)]
  return Buffer.concat([...head, ...clockInfo, u64(0x0102030405060708n), fields.attested, fields.tail ?? Buffer.alloc(0)])
}

export const quoted = (selection: Uint8Array, digest: Uint8Array): Buffer => Buffer.concat([selection, sized(digest)])

export const samplePcrs = [0, 4, 7]
export const sampleValues = new Map(samplePcrs.map((pcr) => [pcr, Buffer.alloc(32, pcr + 1)]))
export const sampleNonce = Buffer.alloc(32, 0x5a)

/** A good quote by `key`, but for the fields given. */
export function sampleQuote(key: SoftwareKey = softwareKey(), fields: Partial<AttestFields> = {}): QuoteEvidence {
  const pcrDigest = pcrDigestOf(sampleValues)
  const attest = attestBytes({
    signer: endorsementSigner(key.publicArea),
    extraData: sampleNonce,
    attested: quoted(sha256Selection(samplePcrs), pcrDigest),
    ...fields,
  })
  return {
    attest,
    signature: key.sign(attest),
    attestationKey: key.publicArea,
    expectedExtraData: sampleNonce,
    pcrs: samplePcrs,
    pcrDigest,
  }
}
