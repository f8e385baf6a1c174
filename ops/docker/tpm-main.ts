/** A device's software TPM in a container: made at its first start, then the same for as long as its volume is kept. */
import { spawn } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { manufactureSoftwareTpm, softwareTpmArguments } from '@interlock/tpm/software-tpm'

const [directory, port] = process.argv.slice(2)
if (!directory || !port) throw new Error('usage: tpm-main.ts DIRECTORY PORT')

const home = join(directory, 'tpm')
if (!existsSync(home)) {
  const draft = `${home}.draft`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true, mode: 0o700 })
  await manufactureSoftwareTpm(draft, join(directory, 'ca'))
  renameSync(draft, home)
}
const swtpm = spawn('swtpm', softwareTpmArguments(home, Number(port), '0.0.0.0'), { stdio: 'inherit' })
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => swtpm.kill(signal))
swtpm.on('exit', (code) => process.exit(code ?? 1))
