import { createHash } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import { ByteReader, MalformedBytes } from '../structures/byte-reader.ts'

/** One file that Linux IMA measured (Documentation/security/IMA-templates) and whose template hash was replayed to the quoted PCR. */
export type MeasuredFile = {
  readonly template: string
  /** `sha256:<hex>`, the kernel's digest of the file. */
  readonly fileDigest: string
  readonly path: string
  /** The file changed while it was measured: its digest says nothing. */
  readonly isViolation: boolean
}

const listBytesMax = 64 * 1024 * 1024
const templateHashBytes = 20
const templates = new Set(['ima-ng', 'ima-sig', 'ima-buf'])

/** The kernel writes the list in the byte order of the machine; those that run agents and devices are little-endian. */
class ListReader extends ByteReader {
  le32(): number {
    return this.take(4).readUInt32LE()
  }

  field(): Buffer {
    return this.take(this.le32())
  }
}

/** Text that the kernel ended with a zero byte, and that has none inside. */
function kernelText(bytes: Buffer): string {
  if (bytes.indexOf(0) !== bytes.length - 1) throw new MalformedBytes('text of the kernel')
  return bytes.subarray(0, -1).toString('utf8')
}

function readFields(data: Buffer): { fileDigest: string; path: string } {
  const reader = new ListReader(data)
  const digest = reader.field()
  const nameEnd = digest.indexOf(0)
  const name = digest.subarray(0, Math.max(0, nameEnd)).toString('latin1')
  if (!/^sha(1|256|384|512):$/.test(name)) throw new MalformedBytes('file digest')
  return { fileDigest: name + digest.subarray(nameEnd + 1).toString('hex'), path: kernelText(reader.field()) }
}

function readFile(reader: ListReader, pcr: number): { file: MeasuredFile; extends: Buffer } {
  if (reader.le32() !== pcr) throw new MalformedBytes('entry of another PCR')
  const isViolation = reader.take(templateHashBytes).every((byte) => byte === 0)
  const template = reader.field().toString('latin1')
  if (!templates.has(template)) throw new MalformedBytes(`template ${template.slice(0, 40)}`)
  const data = reader.field()
  // The hash in the list is the sender's word; a violation extends ones in its place (security/integrity/ima/ima_queue.c).
  const extended = isViolation ? Buffer.alloc(32, 0xff) : createHash('sha256').update(data).digest()
  return { file: { template, isViolation, ...readFields(data) }, extends: extended }
}

/**
 * Replays a binary IMA list against the value of its PCR that a verified quote covers (check 13). The list may have grown after the quote was
 * made: what follows the point where it matches is left out. Pure.
 */
export function replayMeasurementList(
  list: Uint8Array,
  quoted: { readonly pcr: number; readonly value: Uint8Array },
): Result<MeasuredFile[], 'measurement-list-malformed' | 'measurement-list-mismatch'> {
  try {
    if (list.length > listBytesMax) throw new MalformedBytes(`list of ${list.length} bytes`)
    const reader = new ListReader(list)
    const files: MeasuredFile[] = []
    let value: Buffer = Buffer.alloc(32)
    while (!value.equals(quoted.value)) {
      if (reader.remaining === 0) return refused('measurement-list-mismatch', { files: files.length })
      const next = readFile(reader, quoted.pcr)
      value = createHash('sha256').update(value).update(next.extends).digest()
      files.push(next.file)
    }
    return accepted(files)
  } catch (error) {
    if (!(error instanceof MalformedBytes)) throw error
    return refused('measurement-list-malformed', { because: error.message })
  }
}
