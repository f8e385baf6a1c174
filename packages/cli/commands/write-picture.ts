import { writeFileSync } from 'node:fs'
import type { Result } from '@interlock/contracts'
import { CliError } from '../cli-error.ts'

/** Writes a picture, or says why there is none. @throws CliError where the file cannot be written */
export function writePicture(file: string, picture: Result<string, string>): void {
  if (!picture.ok) {
    console.log(`no picture: ${picture.reason} ${JSON.stringify(picture.detail)}`)
    return
  }
  try {
    writeFileSync(file, picture.value)
  } catch (cause) {
    const said = `--svg ${file} cannot be written: ${(cause as Error).message}`
    throw new CliError('usage', said, 'Name a file in a folder that is there.')
  }
  console.log(`${'picture'.padEnd(10)}${file}`)
}
