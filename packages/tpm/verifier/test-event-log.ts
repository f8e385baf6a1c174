import { createHash } from 'node:crypto'

export const sha256 = (...bytes: Uint8Array[]): Buffer => createHash('sha256').update(Buffer.concat(bytes)).digest()

export function le32(value: number): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32LE(value)
  return bytes
}
export const le16 = (value: number): Buffer => le32(value).subarray(0, 2)

/** An event; its digest is that of its data unless it is another. */
export type Sample = { pcr: number; type: number; data: Buffer; digest?: Buffer }

export function specIdOf(banks: [id: number, bytes: number][]): Buffer {
  const each = banks.flatMap(([id, bytes]) => [le16(id), le16(bytes)])
  return Buffer.concat([Buffer.from('Spec ID Event03\0'), Buffer.alloc(8), le32(banks.length), ...each, Buffer.from([0])])
}
export const logWith = (id: Buffer): Buffer => Buffer.concat([le32(0), le32(3), Buffer.alloc(20), le32(id.length), id])

const header = logWith(specIdOf([[0x0b, 32]]))

/** A crypto-agile log of the SHA-256 bank (PFP, 10.2). */
export function logOf(events: readonly Sample[]): Buffer {
  const each = events.map(({ pcr, type, data, digest = sha256(data) }) =>
    Buffer.concat([le32(pcr), le32(type), le32(1), le16(0x0b), digest, le32(data.length), data]),
  )
  return Buffer.concat([header, ...each])
}

/** What a PCR is after these events. */
export const extended = (start: Buffer, ...events: Sample[]): Buffer =>
  events.reduce((value, { data, digest = sha256(data) }) => sha256(value, digest), start)

export const separator = (pcr: number, value = 0): Sample => ({ pcr, type: 4, data: Buffer.alloc(4, value) })

/** UEFI_VARIABLE_DATA of a global variable of one byte, as the firmware measures it into PCR 7. */
export function globalVariable(name: string, value: number): Sample {
  const text = Buffer.from(name, 'utf16le')
  const [length, size] = [Buffer.alloc(8), Buffer.alloc(8)]
  length.writeUInt8(name.length)
  size.writeUInt8(1)
  const guid = Buffer.from('61dfe48bca93d211aa0d00e098032b8c', 'hex')
  return { pcr: 7, type: 0x8000_0001, data: Buffer.concat([guid, length, size, text, Buffer.of(value)]) }
}

export const authority: Sample = { pcr: 7, type: 0x8000_00e0, data: Buffer.from('db: the vendor’s certificate') }
export const optionRom: Sample = {
  pcr: 2,
  type: 0x8000_0004,
  data: Buffer.from('a path'),
  digest: sha256(Buffer.from('option ROM')),
}
export const kernel: Sample = { pcr: 4, type: 0x8000_0003, data: Buffer.from('a path'), digest: sha256(Buffer.from('kernel')) }
const calling: Sample = { pcr: 4, type: 0x8000_0007, data: Buffer.from('Calling EFI Application from Boot Option') }
const firmware: Sample = { pcr: 0, type: 8, data: Buffer.from('firmware 1.0') }

/** A machine that booted with secure boot, one kernel, and no option ROM. */
export const goodBoot: readonly Sample[] = [
  ...[firmware, globalVariable('SecureBoot', 1), separator(0), separator(2), separator(7)],
  ...[calling, separator(4), authority, kernel],
]

export const digestText = ({ data, digest = sha256(data) }: Sample): string => digest.toString('base64url')

/** What a TPM has after all that a log says was measured, read in another way than the verifier does: a machine whose log is honest. */
export function measuredPcrs(log: Buffer): Map<number, Buffer> {
  const pcrs = new Map<number, Buffer>(
    Array.from({ length: 24 }, (_, pcr) => [pcr, Buffer.alloc(32, pcr >= 17 && pcr <= 22 ? 0xff : 0)]),
  )
  const idBytes = log.readUInt32LE(28)
  const banks = new Map<number, number>()
  for (let at = 60; at < 60 + log.readUInt32LE(56) * 4; at += 4) banks.set(log.readUInt16LE(at), log.readUInt16LE(at + 2))
  for (let at = 32 + idBytes; at < log.length; ) {
    const [pcr, type, count] = [log.readUInt32LE(at), log.readUInt32LE(at + 4), log.readUInt32LE(at + 8)]
    at += 12
    let digest: Buffer | undefined
    for (let index = 0; index < count; index++) {
      const bank = log.readUInt16LE(at)
      const end = at + 2 + (banks.get(bank) as number)
      if (bank === 0x0b) digest = log.subarray(at + 2, end)
      at = end
    }
    const data = log.subarray(at + 4, at + 4 + log.readUInt32LE(at))
    at += 4 + data.length
    const before = pcrs.get(pcr) as Buffer
    if (type !== 3 && digest) pcrs.set(pcr, sha256(before, digest))
    else if (pcr === 0 && data.toString('latin1', 0, 16) === 'StartupLocality\0') before.writeUInt8(data[16] as number, 31)
  }
  return pcrs
}
