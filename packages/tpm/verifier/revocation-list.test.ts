import { beforeAll, describe, expect, it } from 'vitest'
import { MalformedBytes } from '../structures/byte-reader.ts'
import { derChildren, derElement, derTag } from './der.ts'
import { readRevocationList } from './revocation-list.ts'
import { anyKey, newPair, revocationList, sampleNow, tlv } from './test-certificates.ts'

let good: Buffer
let tbs: Buffer[]
let algorithm: Buffer
let signature: Buffer

beforeAll(async () => {
  good = await revocationList({ issuer: 'CN=x', by: await newPair(), serials: ['07'] })
  const [fields, ...rest] = derChildren(derElement(good, 0x30))
  if (!fields || !rest[0] || !rest[1]) throw new Error('sample')
  tbs = derChildren(fields).map(({ bytes }) => bytes)
  algorithm = rest[0].bytes
  signature = rest[1].bytes
})

const listOf = (fields: Buffer[], ...more: Buffer[]): Buffer => tlv(0x30, tlv(0x30, ...fields), algorithm, signature, ...more)
const nextUpdate = 4

describe('a revocation list', () => {
  it('is read as it was issued, with and without a version', () => {
    expect(listOf(tbs)).toEqual(good)
    expect(readRevocationList(good)).toMatchObject({ revokedSerials: new Set(['07']), thisUpdate: sampleNow - 86_400_000 })
    expect(readRevocationList(listOf(tbs.slice(1))).revokedSerials).toEqual(new Set(['07']))
  })

  it.each<[string, () => Buffer]>([
    ['no next update: it could be years old', () => listOf(tbs.slice(0, nextUpdate))],
    ['two signature algorithms', () => listOf(tbs.with(1, tlv(0x30, tlv(derTag.oid, Buffer.from([0x2a, 3])))))],
    ['an element too many', () => listOf(tbs, tlv(5))],
    ['no signature', () => tlv(0x30, tlv(0x30, ...tbs), algorithm)],
  ])('with %s is refused', (_, bytes) => {
    expect(() => readRevocationList(bytes())).toThrow(MalformedBytes)
  })

  it('is not read at all beyond 4 MB', () => {
    expect(() => readRevocationList(Buffer.alloc(5 * 1024 * 1024))).toThrow(/5242880 bytes/)
  })

  it('is not signed by another key', () => {
    expect(readRevocationList(good).isSignedBy(anyKey())).toBe(false)
  })
})
