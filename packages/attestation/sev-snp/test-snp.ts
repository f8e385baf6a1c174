import { constants, createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { der, extension } from '../dice/test-x509.ts'

const hex = (text: string) => Buffer.from(text, 'hex')
const sequence = (...contents: Uint8Array[]) => der(0x30, ...contents)
const integer = (value: number) => der(0x02, value > 127 ? Buffer.of(0, value) : Buffer.of(value))
const sha384 = sequence(hex('0609608648016503040202'), hex('0500'))
/** RSASSA-PSS with SHA-384, MGF1 with SHA-384, salt of 48 bytes. */
const rsassaPss = sequence(
  hex('06092a864886f70d01010a'),
  sequence(der(0xa0, sha384), der(0xa1, sequence(hex('06092a864886f70d010108'), sha384)), der(0xa2, integer(48))),
)
const name = (text: string) => sequence(der(0x31, sequence(hex('0603550403'), der(0x0c, Buffer.from(text)))))
const amdOid = (...arcs: number[]) => der(0x06, hex('2b060104019c7801'), Buffer.from(arcs)).toString('hex')

/** Keys of a maker of chips of our own. */
export type TestAmd = { readonly ark: KeyObject; readonly ask: KeyObject; readonly vcek: KeyObject }

export const testAmd = (): TestAmd => ({
  ark: generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey,
  ask: generateKeyPairSync('rsa', { modulusLength: 4096 }).privateKey,
  vcek: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey,
})

export type TestCertificate = {
  readonly subject: string
  readonly issuer: string
  readonly key: KeyObject
  readonly signer: KeyObject
  readonly extensions: readonly Buffer[]
  readonly notAfter?: string
}

export function amdCertificate({
  subject,
  issuer,
  key,
  signer,
  extensions,
  notAfter = '450101000000Z',
}: TestCertificate): Buffer {
  const tbs = sequence(
    hex('a003020102'),
    integer(0),
    rsassaPss,
    name(issuer),
    sequence(der(0x17, Buffer.from('200101000000Z')), der(0x17, Buffer.from(notAfter))),
    name(subject),
    publicPart(key),
    der(0xa3, sequence(...extensions)),
  )
  const signature = sign('sha384', tbs, { key: signer, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength: 48 })
  return sequence(tbs, rsassaPss, der(0x03, Buffer.of(0), signature))
}

const publicPart = (key: KeyObject) => createPublicKey(key).export({ type: 'spki', format: 'der' })

export const authorityExtensions = [
  extension('0603551d13', true, hex('30030101ff')),
  extension('0603551d0f', true, hex('03020106')),
]

/** By arcs below 1.3.6.1.4.1.3704.1. */
export const amdExtension = (arcs: readonly number[], value: Uint8Array, isCritical = false) =>
  extension(amdOid(...arcs), isCritical, value)

export const chipId = Buffer.alloc(64, 0xc1)
export const levels = { bootLoader: 3, tee: 0, snp: 8, microcode: 115 }

export type TestChip = {
  readonly product?: string
  readonly levels?: typeof levels
  readonly isFleet?: boolean
  readonly extra?: readonly Buffer[]
}

export function chipExtensions({
  product = 'Milan-B0',
  levels: own = levels,
  isFleet = false,
  extra = [],
}: TestChip = {}): Buffer[] {
  return [
    amdExtension([2], der(0x16, Buffer.from(product))),
    amdExtension([3, 1], integer(own.bootLoader)),
    amdExtension([3, 2], integer(own.tee)),
    amdExtension([3, 3], integer(own.snp)),
    ...[4, 5, 6, 7].map((number) => amdExtension([3, number], integer(0))),
    amdExtension([3, 8], integer(own.microcode)),
    isFleet ? amdExtension([5], der(0x16, Buffer.from('a fleet'))) : amdExtension([4], chipId),
    ...extra,
  ]
}

export const measurement = Buffer.alloc(48, 0x3e)

/** A report that this maker's chip signed; `edit` changes it before it is signed. */
export function testReport(amd: TestAmd, reportData: Buffer, edit: (report: Buffer) => void = () => {}): Buffer {
  const report = Buffer.alloc(1184)
  report.writeUInt32LE(2, 0)
  report.writeUInt32LE(7, 0x04)
  report.writeBigUInt64LE(0x30000n, 0x08)
  report.writeUInt32LE(1, 0x34)
  reportData.copy(report, 0x50)
  measurement.copy(report, 0x90)
  report.set([levels.bootLoader, levels.tee, 0, 0, 0, 0, levels.snp, levels.microcode], 0x180)
  chipId.copy(report, 0x1a0)
  edit(report)
  const signature = sign('sha384', report.subarray(0, 0x2a0), { key: amd.vcek, dsaEncoding: 'ieee-p1363' })
  Buffer.from(signature.subarray(0, 48)).reverse().copy(report, 0x2a0)
  Buffer.from(signature.subarray(48))
    .reverse()
    .copy(report, 0x2a0 + 72)
  return report
}
