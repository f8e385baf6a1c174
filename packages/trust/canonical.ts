import { accepted, type Result, refused } from '@interlock/contracts'
import canonicalize from 'canonicalize'

export type CanonicalReason = 'not-canonical' | 'too-large' | 'too-deep'

/** RFC 8785 bytes of a JSON value. @throws TypeError for what has none: non-finite numbers, lone surrogates, functions. */
export function canonicalBytes(value: unknown): Buffer {
  const text = canonicalize(value)
  if (text === undefined) throw new TypeError('canonicalBytes: the value has no JSON form')
  if (!text.isWellFormed()) throw new TypeError('canonicalBytes: a string holds a lone surrogate, which UTF-8 cannot carry')
  return Buffer.from(text, 'utf8')
}

/**
 * Parses JSON that must already be in RFC 8785 form: it is serialised again and the bytes compared, so that duplicate members, other
 * spellings of a number and white space, on which two readers may differ, are refused (ATTACKS 54, 64).
 */
export function parseCanonical(
  bytes: Uint8Array,
  limits: { bytesMax: number; depthMax: number },
): Result<unknown, CanonicalReason> {
  if (bytes.byteLength > limits.bytesMax) return refused('too-large', { bytes: bytes.byteLength, bytesMax: limits.bytesMax })
  if (depthOf(bytes) > limits.depthMax) return refused('too-deep', { depthMax: limits.depthMax })
  try {
    const value: unknown = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes))
    return canonicalBytes(value).equals(bytes) ? accepted(value) : refused('not-canonical')
  } catch {
    return refused('not-canonical')
  }
}

/** How deep brackets nest outside strings: counted before parsing, which recurses. */
function depthOf(bytes: Uint8Array): number {
  let depth = 0
  let deepest = 0
  let inString = false
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at]
    if (inString) {
      if (byte === 0x5c) at++
      else if (byte === 0x22) inString = false
    } else if (byte === 0x22) inString = true
    else if (byte === 0x7b || byte === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (byte === 0x7d || byte === 0x5d) depth--
  }
  return deepest
}
