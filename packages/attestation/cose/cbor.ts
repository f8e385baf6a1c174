import { type DecodeOptions, decode, encode } from 'cborg'

/** Labels of maps are integers or text; a key of another kind is refused where it is looked for and not found. */
export type CborMap = ReadonlyMap<unknown, unknown>

// One value, one encoding: what is read in two ways is signed in one (RFC 8949 §4.2.1).
const strict: DecodeOptions = {
  strict: true,
  useMaps: true,
  rejectDuplicateMapKeys: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
}

/** The one CBOR item that the bytes are; undefined where they are not. The caller has bounded them. */
export function readCbor(bytes: Uint8Array): unknown {
  try {
    return decode(bytes, strict)
  } catch {
    // A stranger's bytes: malformed, or nested until the stack ends. Either is no item.
    return undefined
  }
}

export const writeCbor = (value: unknown): Buffer => Buffer.from(encode(value))

export const isBytes = (value: unknown): value is Uint8Array => value instanceof Uint8Array

/** A map that has these labels and no other; undefined for anything else. */
export function mapOf(value: unknown, labels: ReadonlySet<unknown>): CborMap | undefined {
  return value instanceof Map && [...value.keys()].every((label) => labels.has(label)) ? value : undefined
}
