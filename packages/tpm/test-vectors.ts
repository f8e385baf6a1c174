import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'

const folder = process.env.INTERLOCK_VECTORS ?? new URL('../../../shared/vectors', import.meta.url).pathname

/** Evidence of real machines, which others collected; undefined, and said aloud, where the vectors are not at hand. */
export function tpmVector(...path: string[]): Buffer | undefined {
  const file = join(folder, 'tpm', ...path)
  if (existsSync(file)) return readFileSync(file)
  console.warn(`LEFT OUT: ${file} is not there; set INTERLOCK_VECTORS to where the vectors lie`)
  return undefined
}
