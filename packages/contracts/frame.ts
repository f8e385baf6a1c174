import { accepted, type Result, refused } from './result.ts'

/** Confluent wire format: one zero byte, the writer's schema id (uint32, big endian), the Avro body. */
const headBytes = 5

export type FrameReason = 'frame-truncated' | 'frame-magic'
export type Frame = { readonly schemaId: number; readonly body: Buffer }

export function readFrame(bytes: Buffer): Result<Frame, FrameReason> {
  if (bytes.length < headBytes) return refused('frame-truncated', { bytes: bytes.length })
  // An Avro object container begins with 'Obj' and ends here too: only bare bodies are read.
  if (bytes[0] !== 0) return refused('frame-magic', { magic: bytes[0] })
  return accepted({ schemaId: bytes.readUInt32BE(1), body: bytes.subarray(headBytes) })
}

export function writeFrame(schemaId: number, body: Buffer): Buffer {
  const bytes = Buffer.allocUnsafe(headBytes + body.length)
  bytes[0] = 0
  bytes.writeUInt32BE(schemaId, 1)
  body.copy(bytes, headBytes)
  return bytes
}
