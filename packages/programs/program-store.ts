import { createHash, timingSafeEqual } from 'node:crypto'
import type { ProgramReference } from '@interlock/contracts'

/** The largest program that a command can name, bytes (packages/contracts/command.ts). */
export const programBytesMax = 52_428_800

export type StoredName = Pick<ProgramReference, 'sha256' | 'bytes'>

/** Programs by the SHA-256 of their bytes. Who keeps them is not trusted: what does not have the digest is not there. */
export interface ProgramStore {
  /** Resolves when the program is kept; the same again is no error. @throws ProgramStoreError */
  put(bytes: Uint8Array): Promise<StoredName>
  /** Undefined where it is not there, or something else lies in its place. @throws ProgramStoreError where that cannot be told now */
  get(name: StoredName): Promise<Buffer | undefined>
}

/** The store does not answer, or is not as it was set up. */
export class ProgramStoreError extends Error {
  readonly code: 'program-store-unavailable' | 'program-store-settings' | 'program-too-large'
  readonly retriable: boolean
  constructor(code: ProgramStoreError['code'], message: string, cause?: unknown) {
    super(message, { cause })
    this.name = 'ProgramStoreError'
    this.code = code
    this.retriable = code === 'program-store-unavailable'
  }
}

/** @throws ProgramStoreError for what no command could name */
export function nameOf(bytes: Uint8Array): StoredName {
  if (bytes.length === 0 || bytes.length > programBytesMax)
    throw new ProgramStoreError('program-too-large', `a program has 1 to ${programBytesMax} bytes; this one has ${bytes.length}`)
  return { sha256: createHash('sha256').update(bytes).digest('base64url'), bytes: bytes.length }
}

/** Whether bytes are the ones that a name means. */
export function isNamed(bytes: Uint8Array, { sha256, bytes: length }: StoredName): boolean {
  if (bytes.length !== length) return false
  const [own, named] = [createHash('sha256').update(bytes).digest(), Buffer.from(sha256, 'base64url')]
  return own.length === named.length && timingSafeEqual(own, named)
}

/** base64url of 32 bytes: what a file or an object is called must not be a path. */
const isDigest = (text: string): boolean => /^[A-Za-z0-9_-]{43}$/.test(text)

/** What a program is called where it is kept: two levels, so that no folder grows too large. @throws RangeError */
export function pathOf({ sha256 }: StoredName): readonly [folder: string, file: string] {
  if (!isDigest(sha256)) throw new RangeError('no digest')
  // Hex, since some file systems and consoles take a and A for the same.
  const hex = Buffer.from(sha256, 'base64url').toString('hex')
  return [hex.slice(0, 2), hex]
}
