import { readFileSync } from 'node:fs'
import { CliError } from '../cli-error.ts'

const bytesMax = 1_000_000

/** The text of a file, or of standard input for `-`. @throws CliError */
export function readInput(file: string, what: string): string {
  try {
    const text = readFileSync(file === '-' ? 0 : file, 'utf8').trim()
    if (text.length > 0 && text.length <= bytesMax) return text
  } catch (error) {
    throw new CliError('usage', `${what}: ${String(error)}`, 'Name a file that you may read, or - for standard input.')
  }
  throw new CliError(
    'usage',
    `${what}: ${file === '-' ? 'standard input' : file} is empty or too large`,
    'What wrote it said why.',
  )
}

/** @throws CliError */
export function readJson(file: string, what: string): unknown {
  try {
    return JSON.parse(readInput(file, what))
  } catch (error) {
    if (error instanceof CliError) throw error
    throw new CliError('usage', `${what}: ${String(error)}`, 'It must be JSON.')
  }
}
