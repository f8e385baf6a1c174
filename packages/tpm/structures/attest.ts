import { accepted, type Result, refused } from '@interlock/contracts'
import { ByteReader, MalformedBytes } from './byte-reader.ts'
import { type PcrSelection, readPcrSelections } from './pcr-selection.ts'

/** TPM_GENERATED_VALUE, "\xffTCG": a restricted key signs nothing that begins so unless the TPM itself wrote it (part 2, 6.2). */
export const tpmGenerated = 0xff54_4347

/** TPM_ST_ATTEST_*. */
export const attestType = { certify: 0x8017, quote: 0x8018, time: 0x8019 } as const

/** TPMS_CLOCK_INFO. `safe` is false where the clock may have been reported with a higher value before (power loss without Shutdown). */
export type ClockInfo = {
  readonly clockMs: number
  readonly resetCount: number
  readonly restartCount: number
  readonly safe: boolean
}

export type Attested =
  | { readonly type: 'quote'; readonly selections: readonly PcrSelection[]; readonly pcrDigest: Buffer }
  | { readonly type: 'certify'; readonly name: Buffer; readonly qualifiedName: Buffer }
  | { readonly type: 'time'; readonly timeMs: number; readonly clock: ClockInfo; readonly firmwareVersion: string }

/** TPMS_ATTEST (part 2, 10.12.8). */
export type Attest = {
  readonly qualifiedSigner: Buffer
  readonly extraData: Buffer
  readonly clock: ClockInfo
  /** 16 hex digits, as the vendor counts. */
  readonly firmwareVersion: string
  readonly attested: Attested
}

const nameBytesMax = 66

function readMilliseconds(reader: ByteReader): number {
  const value = reader.u64()
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw new MalformedBytes('clock beyond 2^53 ms')
  return Number(value)
}

function readClock(reader: ByteReader): ClockInfo {
  const clock = { clockMs: readMilliseconds(reader), resetCount: reader.u32(), restartCount: reader.u32() }
  const safe = reader.u8()
  if (safe > 1) throw new MalformedBytes('TPMI_YES_NO')
  return { ...clock, safe: safe === 1 }
}

const readFirmware = (reader: ByteReader): string => reader.u64().toString(16).padStart(16, '0')

function readAttested(type: number, reader: ByteReader): Attested {
  switch (type) {
    case attestType.quote:
      return { type: 'quote', selections: readPcrSelections(reader), pcrDigest: reader.sized(64) }
    case attestType.certify:
      return { type: 'certify', name: reader.sized(nameBytesMax), qualifiedName: reader.sized(nameBytesMax) }
    case attestType.time:
      return { type: 'time', timeMs: readMilliseconds(reader), clock: readClock(reader), firmwareVersion: readFirmware(reader) }
    default:
      throw new MalformedBytes(`attestation type 0x${type.toString(16)}`)
  }
}

/** Reads a TPMS_ATTEST. Bytes that do not begin with the TPM's own magic are no statement of a TPM, whoever signed them. */
export function parseAttest(bytes: Uint8Array): Result<Attest, 'not-tpm-generated' | 'attest-malformed'> {
  try {
    const reader = new ByteReader(bytes)
    if (reader.u32() !== tpmGenerated) return refused('not-tpm-generated')
    const type = reader.u16()
    const attest = {
      qualifiedSigner: reader.sized(nameBytesMax),
      extraData: reader.sized(64),
      clock: readClock(reader),
      firmwareVersion: readFirmware(reader),
      attested: readAttested(type, reader),
    }
    reader.end()
    return accepted(attest)
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error
    return refused('attest-malformed', { because: error.message })
  }
}
