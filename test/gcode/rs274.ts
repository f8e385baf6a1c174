import { spawnSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { toolDiameterMm, toolNumbers } from './linuxcnc-machine.ts'

/** LinuxCNC's interpreter as a program of its own, from the Debian package linuxcnc-uspace. */
export const hasRs274 = (): boolean => spawnSync('sh', ['-c', 'command -v rs274']).status === 0

const outputMax = 256 * 1024 * 1024
const timeoutMs = 60_000

/** What it makes of a program: its canonical commands, or its complaint. */
export type Interpreted = { readonly ok: true; readonly commands: string } | { readonly ok: false; readonly complaint: string }

export function rs274(program: Uint8Array): Interpreted {
  const folder = mkdtempSync(join(tmpdir(), 'interlock-rs274-'))
  try {
    const path = join(folder, 'program.ngc')
    writeFileSync(path, program)
    writeFileSync(join(folder, 'tool.tbl'), toolNumbers.map((number) => `T${number} P${number} D${toolDiameterMm}\n`).join(''))
    const ran = spawnSync('rs274', ['-g', '-n', '2', '-t', 'tool.tbl', path], {
      cwd: folder,
      encoding: 'latin1',
      timeout: timeoutMs,
      maxBuffer: outputMax,
      input: '',
    })
    if (ran.status !== 0) return { ok: false, complaint: ran.error?.message ?? complaintIn(`${ran.stdout}\n${ran.stderr}`) }
    return { ok: true, commands: ran.stdout }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** What is no canonical command. */
const complaintIn = (output: string): string =>
  output
    .split('\n')
    .filter((line) => line.trim() !== '' && !/^\s*\d+ N/.test(line) && line.trim() !== 'executing')
    .join(' | ')
    .slice(0, 200)
