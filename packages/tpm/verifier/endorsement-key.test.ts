import { generateKeyPairSync } from 'node:crypto'
import { describe, expect, it } from 'vitest'
import { algorithm } from '../structures/algorithms.ts'
import { objectAttribute } from '../structures/object-attributes.ts'
import { readEndorsementKey } from './endorsement-key.ts'
import { endorsementArea, endorsementAttributes } from './test-endorsement-key.ts'

const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
const rsa = (modulusLength: number) => generateKeyPairSync('rsa', { modulusLength }).publicKey
const verdict = (area: Uint8Array): string => {
  const read = readEndorsementKey(area)
  return read.ok ? 'ok' : read.reason
}

describe('an endorsement key', () => {
  it('is a restricted decryption key, RSA or ECC', () => {
    expect(verdict(endorsementArea(publicKey))).toBe('ok')
    expect(verdict(endorsementArea(rsa(2048)))).toBe('ok')
  })

  it.each([
    'fixedTPM',
    'fixedParent',
    'sensitiveDataOrigin',
    'restricted',
    'decrypt',
  ] as const)('is refused without %s', (attribute) => {
    expect(verdict(endorsementArea(publicKey, { attributes: endorsementAttributes & ~objectAttribute[attribute] }))).toBe(
      'endorsement-key',
    )
  })

  it.each(['sign', 'stClear', 'encryptedDuplication'] as const)('is refused with %s', (attribute) => {
    expect(verdict(endorsementArea(publicKey, { attributes: endorsementAttributes | objectAttribute[attribute] }))).toBe(
      'endorsement-key',
    )
  })

  it('is refused when it is not a storage key', () => {
    expect(verdict(endorsementArea(publicKey, { symmetric: [algorithm.null] }))).toBe('endorsement-key')
    expect(verdict(endorsementArea(publicKey, { scheme: [algorithm.ecdsa, algorithm.sha256] }))).toBe('endorsement-key')
  })

  it('is refused below RSA 2048 and off the curve', () => {
    expect(verdict(endorsementArea(rsa(1024), { bits: 1024 }))).toBe('endorsement-key')
    const area = endorsementArea(publicKey)
    area.writeUInt8(area.readUInt8(area.length - 1) ^ 1, area.length - 1)
    expect(verdict(area)).toBe('endorsement-key')
  })

  it('is refused when it is no public area', () => {
    expect(verdict(endorsementArea(publicKey).subarray(1))).toBe('public-area-malformed')
  })
})
