import { beforeAll, describe, expect, it } from 'vitest'
import { MalformedBytes } from '../structures/byte-reader.ts'
import { type DerElement, derChildren, derElement, derTag, derTime, oidText } from './der.ts'
import { certificateAtStart, readChainCertificate } from './endorsement-certificate.ts'
import { anyKey, issue, leafExtensions, newPair, tlv } from './test-certificates.ts'

type Parts = { tbs: Buffer[]; algorithm: Buffer; signature: Buffer }
let good: Buffer
let parts: Parts

const contents = (element: DerElement): Buffer[] => derChildren(element).map(({ bytes }) => bytes)
const certificate = ({ tbs, algorithm, signature }: Parts, ...more: Buffer[]): Buffer =>
  tlv(0x30, tlv(0x30, ...tbs), algorithm, signature, ...more)
/** The sample with one of its TBSCertificate's fields replaced, or left out. */
const withField = (index: number, ...field: Buffer[]): Buffer =>
  certificate({ ...parts, tbs: parts.tbs.toSpliced(index, 1, ...field) })
const withExtensions = (...extensions: Buffer[]): Buffer => withField(parts.tbs.length - 1, tlv(0xa3, tlv(0x30, ...extensions)))

const someOid = tlv(derTag.oid, Buffer.from([0x2a, 3, 4]))
const someValue = tlv(derTag.octetString, Buffer.from([5, 0]))
const sha384WithEcdsa = tlv(0x30, tlv(derTag.oid, Buffer.from('2a8648ce3d040303', 'hex')))

beforeAll(async () => {
  good = await issue({ subject: '', issuer: 'CN=x', key: anyKey(), by: await newPair(), extensions: leafExtensions() })
  const [tbs, algorithm, signature] = derChildren(derElement(good, 0x30))
  if (!tbs || !algorithm || !signature) throw new Error('sample')
  parts = { tbs: contents(tbs), algorithm: algorithm.bytes, signature: signature.bytes }
})

describe('a certificate', () => {
  it('is read as it was issued', () => {
    expect(certificate(parts)).toEqual(good)
    expect(readChainCertificate(good)).toMatchObject({ serial: '01', signatureAlgorithm: '1.2.840.10045.4.3.2' })
    expect(readChainCertificate(withExtensions(tlv(0x30, someOid, someValue))).extensions.get('1.2.3.4')).toMatchObject({
      isCritical: false,
    })
  })

  it.each<[string, () => Buffer]>([
    ['two signature algorithms', () => certificate({ ...parts, algorithm: sha384WithEcdsa })],
    ['an element too many', () => certificate(parts, tlv(5))],
    ['no signature', () => tlv(0x30, tlv(0x30, ...parts.tbs), parts.algorithm)],
    ['a signature that is no BIT STRING', () => certificate({ ...parts, signature: tlv(derTag.octetString, Buffer.alloc(70)) })],
    ['version 2', () => withField(0, tlv(0xa0, tlv(derTag.integer, Buffer.from([1]))))],
    ['no version', () => withField(0)],
    ['no extensions', () => withField(parts.tbs.length - 1)],
    ['half a validity', () => withField(4, tlv(0x30, tlv(derTag.utcTime, Buffer.from('260101000000Z'))))],
    ['an extension twice', () => withExtensions(tlv(0x30, someOid, someValue), tlv(0x30, someOid, someValue))],
    ['an extension without a value', () => withExtensions(tlv(0x30, someOid))],
    ['an extension whose value is no OCTET STRING', () => withExtensions(tlv(0x30, someOid, tlv(5)))],
    [
      'a criticality that is spelt FALSE',
      () => withExtensions(tlv(0x30, someOid, tlv(derTag.boolean, Buffer.from([0])), someValue)),
    ],
    ['a criticality of 1', () => withExtensions(tlv(0x30, someOid, tlv(derTag.boolean, Buffer.from([1])), someValue))],
    ['9 kB', () => withExtensions(tlv(0x30, someOid, tlv(derTag.octetString, Buffer.alloc(9000))))],
  ])('with %s is refused', (_, bytes) => {
    expect(() => readChainCertificate(bytes())).toThrow(MalformedBytes)
  })

  it('is found at the start of a larger NV index', () => {
    expect(certificateAtStart(Buffer.concat([good, Buffer.alloc(100, 0xff)]))).toEqual(good)
    expect(certificateAtStart(Buffer.alloc(2))).toHaveLength(2)
  })
})

describe('DER', () => {
  it.each([
    ['nothing', ''],
    ['a tag alone', '30'],
    ['a tag of several octets', '1f0100'],
    ['a length not minimal', '308100'],
    ['a length not minimal in two octets', '3082000100'],
    ['a length of no octets (indefinite)', '30800000'],
    ['a length of four octets', '308400000000'],
    ['fewer bytes than its length', '3002ff'],
    ['another tag', '3100'],
    ['bytes after it', '300000'],
  ])('with %s is refused', (_, hex) => {
    expect(() => derElement(Buffer.from(hex, 'hex'), 0x30)).toThrow(MalformedBytes)
  })

  it('refuses a tag of several octets inside another element', () => {
    expect(() => derChildren(derElement(Buffer.from('30031f0100', 'hex'), 0x30))).toThrow(MalformedBytes)
  })

  it('reads object identifiers, and refuses empty and endless ones', () => {
    const oid = (hex: string): string => oidText({ tag: derTag.oid, content: Buffer.from(hex, 'hex'), bytes: Buffer.alloc(0) })
    expect(oid('67810508 01'.replace(' ', ''))).toBe('2.23.133.8.1')
    expect(oid('551d11')).toBe('2.5.29.17')
    expect(() => oid('')).toThrow(MalformedBytes)
    expect(() => oid('2affffffffffff7f')).toThrow(MalformedBytes)
    expect(() => oidText({ tag: 5, content: Buffer.from([1]), bytes: Buffer.alloc(0) })).toThrow(MalformedBytes)
  })

  const time = (tag: number, text: string): number => derTime({ tag, content: Buffer.from(text), bytes: Buffer.alloc(0) })

  it('reads both kinds of time', () => {
    expect(time(derTag.utcTime, '491231235959Z')).toBe(Date.UTC(2049, 11, 31, 23, 59, 59))
    expect(time(derTag.utcTime, '500101000000Z')).toBe(Date.UTC(1950, 0, 1))
    expect(time(derTag.generalizedTime, '99991231235959Z')).toBe(Date.UTC(9999, 11, 31, 23, 59, 59))
  })

  it.each([
    ['30 February', derTag.generalizedTime, '20260230000000Z'],
    ['a fraction', derTag.generalizedTime, '20260101000000.5Z'],
    ['an offset', derTag.generalizedTime, '20260101000000+0100'],
    ['no seconds', derTag.utcTime, '2601010000Z'],
    ['another tag', derTag.octetString, '20260101000000Z'],
  ])('refuses a time with %s', (_, tag, text) => {
    expect(() => time(tag, text)).toThrow(MalformedBytes)
  })
})
