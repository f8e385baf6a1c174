import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { pemCertificates, type SnpReference } from '@interlock/trust'
import fc from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { appraise } from '../appraise.ts'
import {
  amdCertificate,
  amdExtension,
  authorityExtensions,
  chipExtensions,
  levels,
  measurement,
  type TestAmd,
  type TestCertificate,
  testAmd,
  testReport,
} from './test-snp.ts'
import { authenticSnpReport, type SnpEvidence, snpReportData, verifySnp } from './verify-snp.ts'

const now = Date.UTC(2026, 10, 24)
const nonce = Buffer.alloc(32, 5)
const spki = (key: KeyObject) => createPublicKey(key).export({ type: 'spki', format: 'der' })
const key = spki(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
const reference: SnpReference = {
  measurement: measurement.toString('base64url'),
  guestSvnMin: 7,
  tcbMin: levels,
  vmplMax: 0,
}

let amd: TestAmd
let ark: Buffer
let ask: Buffer
beforeAll(() => {
  amd = testAmd()
  ark = authorityCertificate({ subject: 'ARK', key: amd.ark })
  ask = authorityCertificate({ subject: 'ASK', key: amd.ask })
})
const authorityCertificate = (change: Partial<TestCertificate>) =>
  amdCertificate({ issuer: 'ARK', signer: amd.ark, extensions: authorityExtensions, ...change } as TestCertificate)
const vcek = (change: Partial<TestCertificate> = {}) =>
  amdCertificate({ subject: 'SEV-VCEK', issuer: 'ASK', key: amd.vcek, signer: amd.ask, extensions: chipExtensions(), ...change })

const evidence = (change: Partial<SnpEvidence> = {}): SnpEvidence => ({
  kind: 'sev-snp',
  report: testReport(amd, snpReportData(nonce, key)),
  chain: [vcek(), ask],
  key,
  ...change,
})
const against = () => ({ kind: 'sev-snp' as const, nonce, reference, roots: [ark], now })
function reasonOf(given: SnpEvidence, change: Partial<ReturnType<typeof against>> = {}): string {
  const appraised = verifySnp(given, { ...against(), ...change })
  return appraised.ok ? 'ok' : appraised.reason
}
const edited = (edit: (report: Buffer) => void) => evidence({ report: testReport(amd, snpReportData(nonce, key), edit) })

describe('a guest under SEV-SNP', () => {
  it('is appraised by its report, with the key that the report binds to it', () => {
    const appraised = appraise(evidence(), against())
    expect(appraised).toMatchObject({ ok: true, value: { kind: 'sev-snp', tcb: levels, chipId: 'c1'.repeat(64) } })
    expect(appraised.ok && appraised.value.key.export({ type: 'spki', format: 'der' })).toEqual(key)
  })

  it('may have a report of version 3, which says what processor it is', () => {
    expect(reasonOf(edited((report) => report.set([3], 0) ?? report.set([0x19, 1, 1], 0x188)))).toBe('ok')
  })

  it('may be signed for by a fleet’s key', () => {
    const chain = [vcek({ subject: 'SEV-VLEK', extensions: chipExtensions({ isFleet: true }) }), ask]
    const report = testReport(amd, snpReportData(nonce, key), (bytes) => bytes.writeUInt32LE(1 << 2, 0x48))
    expect(reasonOf(evidence({ chain, report }))).toBe('ok')
  })

  it.each<[string, (report: Buffer) => void, string]>([
    ['that may be debugged', (report) => report.writeBigUInt64LE(0xb0000n, 8), 'debug'],
    ['that may be migrated', (report) => report.writeBigUInt64LE(0x70000n, 8), 'migration'],
    ['of another measurement', (report) => report.writeUInt8(0, 0x90), 'measurement'],
    ['of an older version', (report) => report.writeUInt32LE(6, 4), 'guest-svn'],
    ['that asks from a lower privilege level', (report) => report.writeUInt32LE(1, 0x30), 'vmpl'],
    ['that answers another nonce', (report) => snpReportData(Buffer.alloc(32, 6), key).copy(report, 0x50), 'report-data'],
    ['with another key', (report) => snpReportData(nonce, Buffer.alloc(91)).copy(report, 0x50), 'report-data'],
    ['without a nonce', (report) => report.fill(0, 0x50, 0x90), 'report-data'],
    ['of version 1', (report) => report.writeUInt32LE(1, 0), 'report-version'],
    ['of version 4', (report) => report.writeUInt32LE(4, 0), 'report-version'],
    ['signed by another algorithm', (report) => report.writeUInt32LE(2, 0x34), 'report-algorithm'],
    ['signed by no key', (report) => report.writeUInt32LE(7 << 2, 0x48), 'report-malformed'],
    ['signed by a fleet’s key with a chip’s certificate', (report) => report.writeUInt32LE(1 << 2, 0x48), 'chip-certificate'],
    ['whose chip is masked', (report) => report.writeUInt32LE(2, 0x48), 'chip-identity'],
    ['of another chip', (report) => report.writeUInt8(0, 0x1a0), 'chip-identity'],
    ['of another boot loader', (report) => report.writeUInt8(4, 0x180), 'chip-tcb'],
    ['of another TEE', (report) => report.writeUInt8(1, 0x181), 'chip-tcb'],
    ['of another SNP firmware', (report) => report.writeUInt8(9, 0x186), 'chip-tcb'],
    ['of another microcode', (report) => report.writeUInt8(116, 0x187), 'chip-tcb'],
    ['with a policy bit that is unknown', (report) => report.writeBigUInt64LE(0x4030000n, 8), 'report-malformed'],
    ['without the policy bit that is always there', (report) => report.writeBigUInt64LE(0x10000n, 8), 'report-malformed'],
    ['with unknown flags', (report) => report.writeUInt32LE(1 << 5, 0x48), 'report-malformed'],
    ['with something in the reserved bytes', (report) => report.writeUInt8(1, 0x200), 'report-malformed'],
    ['of version 2 with a processor', (report) => report.writeUInt8(1, 0x188), 'report-malformed'],
  ])('%s is refused', (_, edit, reason) => expect(reasonOf(edited(edit))).toBe(reason))

  it.each<[keyof typeof levels]>([['bootLoader'], ['snp'], ['microcode'], ['tee']])('with too low a %s is refused', (level) => {
    const tcbMin = { ...levels, [level]: levels[level] + 1 }
    expect(reasonOf(evidence(), { reference: { ...reference, tcbMin } })).toBe('tcb-too-low')
  })

  it('is refused for any bit of what is signed that is another, and for the signature’s too', () => {
    const good = evidence()
    fc.assert(
      fc.property(fc.nat(1184 * 8 - 1), (bit) => {
        const report = Buffer.from(good.report)
        report.writeUInt8((report[bit >> 3] as number) ^ (1 << (bit & 7)), bit >> 3)
        return reasonOf({ ...good, report }) !== 'ok'
      }),
      { numRuns: 150 },
    )
  })

  it.each<[string, () => SnpEvidence, string]>([
    ['a report that is cut short', () => evidence({ report: Buffer.alloc(1183) }), 'report-malformed'],
    ['a report with bytes behind it', () => evidence({ report: Buffer.alloc(1185) }), 'report-malformed'],
    ['a key that is none', () => evidence({ key: Buffer.of(1) }), 'key-malformed'],
    ['a key of RSA', () => evidence({ key: spki(amd.ask) }), 'key-malformed'],
    ['no certificates', () => evidence({ chain: [] }), 'chain-length'],
    ['its root along with it', () => evidence({ chain: [vcek(), ask, ark] }), 'chain-length'],
    ['certificates that are none', () => evidence({ chain: [Buffer.of(1), Buffer.of(2)] }), 'chip-certificate'],
    ['a certificate of 8 kB and more', () => evidence({ chain: [Buffer.alloc(8193, 0x30), ask] }), 'chip-certificate'],
    [
      'an authority that nobody pinned, of the same name',
      () => evidence({ chain: [vcek(), authorityCertificate({ subject: 'ASK', key: amd.ask, signer: amd.ask })] }),
      'chain-root',
    ],
    ['a chip that another authority certified', () => evidence({ chain: [vcek({ signer: amd.ark }), ask] }), 'chain-signature'],
    [
      'a chip certified by no authority',
      () => evidence({ chain: [vcek(), authorityCertificate({ subject: 'ASK', key: amd.ask, extensions: [] })] }),
      'chain-authority',
    ],
    [
      'a chip certified by who may not',
      () =>
        evidence({
          chain: [vcek(), authorityCertificate({ subject: 'ASK', key: amd.ask, extensions: authorityExtensions.slice(1) })],
        }),
      'chain-authority',
    ],
    ['a certificate that is over', () => evidence({ chain: [vcek({ notAfter: '250101000000Z' }), ask] }), 'chain-expired'],
    [
      'an authority that is over',
      () => evidence({ chain: [vcek(), authorityCertificate({ subject: 'ASK', key: amd.ask, notAfter: '250101000000Z' })] }),
      'chain-expired',
    ],
    ['a certificate of something else', () => evidence({ chain: [vcek({ subject: 'SEV-PEK' }), ask] }), 'chip-certificate'],
    [
      'the chip of another product',
      () => evidence({ chain: [vcek({ extensions: chipExtensions({ product: 'Turin-B0' }) }), ask] }),
      'chip-product',
    ],
    [
      'the chip at other patch levels',
      () => evidence({ chain: [vcek({ extensions: chipExtensions({ levels: { ...levels, snp: 7 } }) }), ask] }),
      'chip-tcb',
    ],
    [
      'a chip without patch levels',
      () => evidence({ chain: [vcek({ extensions: chipExtensions().slice(0, 3) }), ask] }),
      'chip-certificate',
    ],
    [
      'a chip’s certificate that names no chip',
      () => evidence({ chain: [vcek({ extensions: chipExtensions({ isFleet: true }) }), ask] }),
      'chip-certificate',
    ],
    [
      'a critical extension that nobody knows',
      () =>
        evidence({ chain: [vcek({ extensions: chipExtensions({ extra: [amdExtension([9], Buffer.of(5, 0), true)] }) }), ask] }),
      'chip-certificate',
    ],
    [
      'a key on another curve',
      () => evidence({ chain: [vcek({ key: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey }), ask] }),
      'chip-certificate',
    ],
    [
      'the key of another chip',
      () => evidence({ chain: [vcek({ key: generateKeyPairSync('ec', { namedCurve: 'P-384' }).privateKey }), ask] }),
      'report-signature',
    ],
  ])('is refused with %s', (_, given, reason) => expect(reasonOf(given())).toBe(reason))

  it('is refused before its certificates are good, and for a nonce of less than 16 bytes', () => {
    expect(reasonOf(evidence(), { now: Date.UTC(2019, 0, 1) })).toBe('chain-expired')
    expect(reasonOf(evidence(), { nonce: Buffer.alloc(15) })).toBe('nonce-too-short')
  })
})

describe('reports of real machines', () => {
  const file = (name: string) => readFileSync(new URL(`fixtures/${name}`, import.meta.url))
  const [realAsk, realArk] = pemCertificates(file('milan.pem').toString('utf8')) as [Buffer, Buffer]
  const real = (name: string) => ({ report: file(`${name}.report.bin`), chain: [file(`${name}.vcek.der`), realAsk] })
  const then = { roots: [realArk], now: Date.UTC(2024, 0, 1) }
  const reason = (...given: Parameters<typeof authenticSnpReport>) => {
    const found = authenticSnpReport(...given)
    return found.ok ? 'ok' : found.reason
  }

  it.each([
    ['milan', { isDebugAllowed: false, reportedTcb: { bootLoader: 3, tee: 0, snp: 8, microcode: 115 } }],
    ['milan-debug', { isDebugAllowed: true, reportedTcb: { bootLoader: 2, tee: 0, snp: 5, microcode: 68 } }],
  ])('%s was signed by the chip that AMD certified', (name, report) => {
    expect(authenticSnpReport(real(name), then)).toMatchObject({ ok: true, value: { report, chip: { product: 'Milan-B0' } } })
  })

  it('are refused under other roots, at other times, with another’s certificate, and when a byte is another', () => {
    expect(reason(real('milan'), { ...then, roots: [ark] })).toBe('chain-root')
    expect(reason(real('milan'), { ...then, now: Date.UTC(2031, 0, 1) })).toBe('chain-expired')
    expect(reason({ ...real('milan'), chain: real('milan-debug').chain }, then)).toBe('report-signature')
    for (const at of [0x04, 0x08, 0x50, 0x90, 0x180, 0x1a0]) {
      const report = Buffer.from(real('milan').report)
      report.writeUInt8((report[at] as number) ^ 1, at)
      expect(reason({ ...real('milan'), report }, then)).toBe('report-signature')
    }
  })

  it('attack 24: answer nobody’s nonce of ours, so they are refused as evidence', () => {
    expect(reasonOf({ kind: 'sev-snp', key, ...real('milan') }, then)).toBe('report-data')
  })
})
