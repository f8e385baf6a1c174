import { generateKeyPairSync, type KeyPairKeyObjectResult } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { attestationKeyTemplate, p256Endorsement, p384Endorsement, rsaEndorsement, storageKeyTemplate } from '../templates.ts'
import { p256Area, rsaArea } from '../verifier/test-attestation.ts'
import { algorithm } from './algorithms.ts'
import { sized, u8, u16 } from './bytes.ts'
import { parsePublicArea, publicKeyOf } from './public-area.ts'

const rsa = rsaArea(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)
const ecc = p256Area(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
const verdict = (bytes: Uint8Array): string => {
  const parsed = parsePublicArea(bytes)
  return parsed.ok ? 'ok' : parsed.reason
}

/** Offsets in the samples: type, name algorithm, attributes (4), policy (2), symmetric, scheme, its hash, then the key’s own. */
const at = { type: 0, symmetric: 10, scheme: 12, ownFields: 16 } as const

function patched(area: Buffer, offset: number, value: number): Buffer {
  const copy = Buffer.from(area)
  copy.writeUInt16BE(value, offset)
  return copy
}

describe('a public area', () => {
  it('is read for every template', () => {
    const areas = [
      attestationKeyTemplate,
      storageKeyTemplate,
      ...[rsaEndorsement, p256Endorsement, p384Endorsement].map(({ publicArea }) => publicArea),
    ]
    expect(areas.map(verdict)).toEqual(['ok', 'ok', 'ok', 'ok', 'ok'])
    expect(verdict(rsa)).toBe('ok')
  })

  it('gives a key for node:crypto, also where a coordinate has leading zeros left out', () => {
    const { publicKey } = keyWithShortX()
    const { x, y } = publicKey.export({ format: 'jwk' }) as { x: string; y: string }
    const point = [sized(Buffer.from(x, 'base64url').subarray(1)), sized(Buffer.from(y, 'base64url'))]
    const area = parsePublicArea(Buffer.concat([ecc.subarray(0, at.ownFields + 4), ...point]))
    expect(area.ok && publicKeyOf(area.value)?.equals(publicKey)).toBe(true)
  })

  it.each([
    ['of a keyed hash', patched(rsa, at.type, algorithm.keyedHash)],
    ['with an unknown signing scheme', patched(ecc, at.scheme, 0x001c)],
    ['with an unknown symmetric algorithm', patched(ecc, at.symmetric, 0x0003)],
    ['on an unknown curve', patched(ecc, at.ownFields, 0x0020)],
    ['with a key derivation', patched(ecc, at.ownFields + 2, 0x0020)],
    ['of RSA with 2,049 bits', patched(rsa, at.ownFields, 2049)],
    [
      'of RSA with 512 bits',
      Buffer.concat([patched(rsa, at.ownFields, 512).subarray(0, at.ownFields + 6), sized(Buffer.alloc(64, 1))]),
    ],
    [
      'of RSA with 8,192 bits',
      Buffer.concat([patched(rsa, at.ownFields, 8192).subarray(0, at.ownFields + 6), sized(Buffer.alloc(1024, 1))]),
    ],
    ['of RSA with a short modulus', Buffer.concat([rsa.subarray(0, at.ownFields + 6), sized(Buffer.alloc(255, 1))])],
    ['of RSA with a trailing byte', Buffer.concat([rsa, u8(0)])],
    [
      'with a coordinate of 33 bytes',
      Buffer.concat([ecc.subarray(0, at.ownFields + 4), sized(Buffer.alloc(33)), sized(Buffer.alloc(32))]),
    ],
    ['of two bytes', u16(algorithm.ecc)],
  ])('%s is refused', (_, bytes) => {
    expect(verdict(bytes)).toBe('public-area-malformed')
  })
})

/** One key in 256. */
function keyWithShortX(): KeyPairKeyObjectResult {
  for (;;) {
    const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const { x } = pair.publicKey.export({ format: 'jwk' }) as { x: string }
    if (Buffer.from(x, 'base64url')[0] === 0) return pair
  }
}
