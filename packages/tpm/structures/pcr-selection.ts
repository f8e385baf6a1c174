import { algorithm } from './algorithms.ts'
import { type ByteReader, MalformedBytes } from './byte-reader.ts'
import { u8, u16, u32 } from './bytes.ts'

/** One TPMS_PCR_SELECTION: a bank and the PCRs of it, ascending. */
export type PcrSelection = { readonly bank: number; readonly pcrs: readonly number[] }

export function readPcrSelections(reader: ByteReader): PcrSelection[] {
  const count = reader.u32()
  if (count > 16) throw new MalformedBytes(`${count} PCR banks`)
  return Array.from({ length: count }, () => {
    const bank = reader.u16()
    const bits = reader.take(reader.u8())
    const pcrs: number[] = []
    for (const [index, byte] of bits.entries())
      for (let bit = 0; bit < 8; bit++) if (byte & (1 << bit)) pcrs.push(index * 8 + bit)
    return { bank, pcrs }
  })
}

/** TPML_PCR_SELECTION of the SHA-256 bank. */
export function sha256Selection(pcrs: readonly number[]): Buffer {
  const bits = Buffer.alloc(3)
  for (const pcr of pcrs) {
    if (!Number.isInteger(pcr) || pcr < 0 || pcr > 23) throw new RangeError(`PCR ${pcr}: 0 to 23`)
    const index = Math.floor(pcr / 8)
    bits[index] = (bits[index] ?? 0) | (1 << (pcr % 8))
  }
  return Buffer.concat([u32(1), u16(algorithm.sha256), u8(bits.length), bits])
}
