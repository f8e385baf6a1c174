import { accepted, type Result, refused } from '@interlock/contracts'
import type { SnpTcb } from '@interlock/trust'
import type { SnpReason } from './snp-reason.ts'

/** ATTESTATION_REPORT as it says of itself (SEV Secure Nested Paging Firmware ABI, table "ATTESTATION_REPORT Structure"): nothing here is verified. */
export type SnpReport = {
  readonly version: 2 | 3
  readonly guestSvn: number
  readonly isDebugAllowed: boolean
  readonly isMigrationAllowed: boolean
  readonly vmpl: number
  readonly signer: 'vcek' | 'vlek'
  readonly isChipMasked: boolean
  readonly reportData: Buffer
  readonly measurement: Buffer
  readonly reportedTcb: SnpTcb
  readonly chipId: Buffer
  /** What is signed, and r and s, big-endian, 48 bytes each. */
  readonly signed: Buffer
  readonly signature: Buffer
}

export const reportBytes = 1184
const signedBytes = 0x2a0
const componentBytes = 72
/** ECDSA P-384 with SHA-384. */
const ecdsaP384 = 1
const policyBit = { alwaysOne: 17n, migration: 18n, debug: 19n, firstReserved: 26n } as const
const signerByKey: Readonly<Record<number, SnpReport['signer']>> = { 0: 'vcek', 1: 'vlek' }

/** Reads a report: exact size, known version, and zeros wherever zeros must be. */
export function readSnpReport(
  bytes: Buffer,
): Result<SnpReport, Extract<SnpReason, 'report-malformed' | 'report-version' | 'report-algorithm'>> {
  if (bytes.length !== reportBytes) return refused('report-malformed', { bytes: bytes.length })
  const version = bytes.readUInt32LE(0)
  if (version !== 2 && version !== 3) return refused('report-version', { version })
  if (bytes.readUInt32LE(0x34) !== ecdsaP384) return refused('report-algorithm', { algorithm: bytes.readUInt32LE(0x34) })
  const policy = bytes.readBigUInt64LE(0x08)
  const flags = bytes.readUInt32LE(0x48)
  const signer = signerByKey[(flags >> 2) & 0x7]
  const reserved = firstNotZero(bytes, version)
  if (reserved !== undefined) return refused('report-malformed', { at: reserved })
  if (!signer || flags >> 5 !== 0) return refused('report-malformed', { at: 0x48 })
  if (!isSet(policy, policyBit.alwaysOne) || policy >> policyBit.firstReserved !== 0n)
    return refused('report-malformed', { at: 0x08 })
  return accepted({
    version,
    guestSvn: bytes.readUInt32LE(0x04),
    isDebugAllowed: isSet(policy, policyBit.debug),
    isMigrationAllowed: isSet(policy, policyBit.migration),
    vmpl: bytes.readUInt32LE(0x30),
    signer,
    isChipMasked: (flags & 0x2) !== 0,
    reportData: bytes.subarray(0x50, 0x90),
    measurement: bytes.subarray(0x90, 0xc0),
    reportedTcb: tcbAt(bytes, 0x180),
    chipId: bytes.subarray(0x1a0, 0x1e0),
    signed: bytes.subarray(0, signedBytes),
    signature: Buffer.concat([component(bytes, signedBytes), component(bytes, signedBytes + componentBytes)]),
  })
}

const isSet = (value: bigint, bit: bigint) => ((value >> bit) & 1n) === 1n

/** TCB_VERSION of Milan and Genoa; the chip's product says that it is one. */
const tcbAt = (bytes: Buffer, at: number): SnpTcb => ({
  bootLoader: bytes.readUInt8(at),
  tee: bytes.readUInt8(at + 1),
  snp: bytes.readUInt8(at + 6),
  microcode: bytes.readUInt8(at + 7),
})

/** 72 bytes, little-endian, of which a P-384 number takes 48. */
const component = (bytes: Buffer, at: number): Buffer => Buffer.from(bytes.subarray(at, at + 48)).reverse()

/** "Must be zero" ranges. In version 3 the processor's family, model and stepping stand in the first of those after the TCB. */
function firstNotZero(bytes: Buffer, version: 2 | 3): number | undefined {
  const ranges: [from: number, to: number][] = [
    [0x4c, 0x50],
    [version === 2 ? 0x188 : 0x18b, 0x1a0],
    [0x182, 0x186],
    [0x1eb, 0x1ec],
    [0x1ef, 0x1f0],
    [0x1f8, 0x2a0],
    [signedBytes + 48, signedBytes + componentBytes],
    [signedBytes + componentBytes + 48, reportBytes],
  ]
  return ranges.find(([from, to]) => bytes.subarray(from, to).some((byte) => byte !== 0))?.[0]
}
