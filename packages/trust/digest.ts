import { hash, timingSafeEqual } from 'node:crypto'
import type { Digest } from '@interlock/contracts'

/** base64url SHA-256 of bytes, 43 characters. */
export const digest = (bytes: Uint8Array): Digest => hash('sha256', bytes, 'base64url') as Digest

/** Compares two texts in constant time for their length. */
export function equalDigest(a: string, b: string): boolean {
  const [left, right] = [Buffer.from(a), Buffer.from(b)]
  return left.length === right.length && timingSafeEqual(left, right)
}
