import { createHash } from 'node:crypto'

const hashByBytes: Readonly<Record<number, string>> = { 32: 'sha256', 48: 'sha384', 64: 'sha512' }
const inlineBytes = 64

/**
 * The configuration input: the hash, where there is one, which must be the descriptor's; else the descriptor itself, of 64 bytes
 * (Open DICE Profile, "Custom Extension Format"). Undefined where the two do not fit.
 */
export function configurationInput(hash: Buffer | undefined, descriptor: Buffer | undefined): Buffer | undefined {
  if (!descriptor) return undefined
  if (!hash) return descriptor.length === inlineBytes ? descriptor : undefined
  const algorithm = hashByBytes[hash.length]
  return algorithm && createHash(algorithm).update(descriptor).digest().equals(hash) ? hash : undefined
}
