import { createHash } from 'node:crypto'
import type { HashName } from '../structures/algorithms.ts'

/** Values of the SHA-256 bank by PCR. */
export type PcrValues = ReadonlyMap<number, Uint8Array>

/** The digest a quote carries: the values in ascending order of their PCR, under the hash that the key signs with (part 3, 18.4). */
export function pcrDigestOf(values: PcrValues, hash: HashName = 'sha256'): Buffer {
  const hasher = createHash(hash)
  for (const [, value] of [...values].sort(([one], [other]) => one - other)) hasher.update(value)
  return hasher.digest()
}
