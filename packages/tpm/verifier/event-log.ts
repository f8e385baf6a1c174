import { createHash } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import { algorithm } from '../structures/algorithms.ts'
import { ByteReader, MalformedBytes } from '../structures/byte-reader.ts'
import type { PcrValues } from './pcr-digest.ts'

/** One event of a boot (TCG PC Client Platform Firmware Profile, 10.2) whose digest was replayed to a quoted PCR. */
export type MeasuredEvent = {
  readonly pcr: number
  readonly type: number
  readonly digest: Buffer
  readonly data: Buffer
  /** Whether the digest is that of the data. Where it is not, the data are only the sender's description of what was measured. */
  readonly isDataMeasured: boolean
}

const logBytesMax = 4 * 1024 * 1024
const eventsMax = 20_000
const noAction = 0x3
const specId = Buffer.from('Spec ID Event03\0')
const startupLocality = Buffer.from('StartupLocality\0')
const dynamicRootPcrs = { first: 17, last: 22 } as const

type LoggedEvent = { pcr: number; type: number; digest: Buffer | undefined; data: Buffer }

/** Log integers are little-endian, unlike all else of a TPM. */
class LogReader extends ByteReader {
  le16(): number {
    return this.take(2).readUInt16LE()
  }

  le32(): number {
    return this.take(4).readUInt32LE()
  }
}

function legacyHeader(reader: LogReader): { pcr: number; type: number; data: Buffer } {
  const [pcr, type] = [reader.le32(), reader.le32()]
  reader.take(20)
  return { pcr, type, data: reader.take(reader.le32()) }
}

/** The banks and their digests' lengths, from the event that opens a crypto-agile log. */
function readBanks(data: Buffer): Map<number, number> {
  if (!data.subarray(0, specId.length).equals(specId))
    throw new MalformedBytes('a log without SHA-256 digests (no Spec ID Event03)')
  const reader = new LogReader(data.subarray(specId.length))
  reader.take(8)
  const banks = new Map<number, number>()
  const count = reader.le32()
  if (count > 16) throw new MalformedBytes(`${count} banks`)
  for (let index = 0; index < count; index++) banks.set(reader.le16(), reader.le16())
  reader.take(reader.u8())
  reader.end()
  if (banks.get(algorithm.sha256) !== 32) throw new MalformedBytes('a log without SHA-256 digests')
  return banks
}

function readEvent(reader: LogReader, banks: ReadonlyMap<number, number>): LoggedEvent {
  const [pcr, type, count] = [reader.le32(), reader.le32(), reader.le32()]
  if (pcr > 23 || count > banks.size) throw new MalformedBytes(`event of PCR ${pcr} with ${count} digests`)
  let digest: Buffer | undefined
  for (let index = 0; index < count; index++) {
    const bank = reader.le16()
    const length = banks.get(bank)
    if (length === undefined) throw new MalformedBytes(`digest of unknown bank 0x${bank.toString(16)}`)
    const value = reader.take(length)
    if (bank === algorithm.sha256) digest = value
  }
  return { pcr, type, digest, data: reader.take(reader.le32()) }
}

function readEvents(log: Uint8Array): LoggedEvent[] {
  if (log.length > logBytesMax) throw new MalformedBytes(`log of ${log.length} bytes`)
  const reader = new LogReader(log)
  const header = legacyHeader(reader)
  if (header.pcr !== 0 || header.type !== noAction) throw new MalformedBytes('a log without SHA-256 digests (SHA-1 format)')
  const banks = readBanks(header.data)
  const events: LoggedEvent[] = []
  while (reader.remaining > 0) {
    if (events.length === eventsMax) throw new MalformedBytes(`more than ${eventsMax} events`)
    events.push(readEvent(reader, banks))
  }
  return events
}

/** A PCR before the first event: the locality that started the TPM stands in PCR 0, and dynamic PCRs begin with ones (PFP, 3.3.2). */
function initialValue(pcr: number, locality: number): Buffer {
  const value = Buffer.alloc(32, pcr >= dynamicRootPcrs.first && pcr <= dynamicRootPcrs.last ? 0xff : 0)
  if (pcr === 0) value.writeUInt8(locality, 31)
  return value
}

/** An event that says from which locality TPM2_Startup came. It is not measured: only PCR 0, which it explains, makes it true. */
function localityOf(event: LoggedEvent): number | undefined {
  const isOne = event.type === noAction && event.pcr === 0 && event.data.length === startupLocality.length + 1
  return isOne && event.data.subarray(0, -1).equals(startupLocality) ? event.data.at(-1) : undefined
}

function replayed(events: readonly LoggedEvent[], quoted: PcrValues): { pcrs: Map<number, Buffer>; measured: MeasuredEvent[] } {
  const locality = events.map(localityOf).find((value) => value !== undefined) ?? 0
  const pcrs = new Map([...quoted.keys()].map((pcr) => [pcr, initialValue(pcr, locality)]))
  const measured: MeasuredEvent[] = []
  for (const { pcr, type, digest, data } of events) {
    const before = pcrs.get(pcr)
    // EV_NO_ACTION extends nothing, so whoever wrote the log wrote it: such an event is never passed on.
    if (!before || type === noAction) continue
    if (!digest) throw new MalformedBytes('event without a SHA-256 digest')
    pcrs.set(pcr, createHash('sha256').update(before).update(digest).digest())
    measured.push({ pcr, type, digest, data, isDataMeasured: createHash('sha256').update(data).digest().equals(digest) })
  }
  return { pcrs, measured }
}

/**
 * Replays an event log against PCR values that a verified quote covers (check 12) and returns the events that led there. Events of other PCRs
 * are left out: nothing shows that they happened. Pure.
 */
export function replayEventLog(
  log: Uint8Array,
  quoted: PcrValues,
): Result<MeasuredEvent[], 'event-log-malformed' | 'event-log-mismatch'> {
  try {
    const { pcrs, measured } = replayed(readEvents(log), quoted)
    const wrong = [...pcrs].filter(([pcr, value]) => !value.equals(quoted.get(pcr) ?? Buffer.alloc(0))).map(([pcr]) => pcr)
    return wrong.length > 0 ? refused('event-log-mismatch', { pcrs: wrong }) : accepted(measured)
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error
    return refused('event-log-malformed', { because: error.message })
  }
}
