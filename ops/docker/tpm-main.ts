/** A device's software TPM in a container: made at its first start, then the same for as long as its volume is kept. */
import { spawn } from 'node:child_process'
import { copyFileSync, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { manufactureSoftwareTpm, softwareTpmArguments } from '@interlock/tpm/software-tpm'

const [directory, port, roots] = process.argv.slice(2)
if (!directory || !port || !roots) throw new Error('usage: tpm-main.ts DIRECTORY PORT PREFIX-OF-ITS-MAKERS-CERTIFICATES')

const home = join(directory, 'tpm')
if (!existsSync(home)) {
  const draft = `${home}.draft`
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true, mode: 0o700 })
  await manufactureSoftwareTpm(draft, join(directory, 'ca'))
  renameSync(draft, home)
}
// For the registry, which knows TPMs by who made them.
for (const name of ['issuercert.pem', 'swtpm-localca-rootca-cert.pem'])
  copyFileSync(join(directory, 'ca', name), `${roots}-${name}`)
const swtpm = spawn('swtpm', softwareTpmArguments(home, Number(port), '0.0.0.0'), { stdio: 'inherit' })
for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => swtpm.kill(signal))
swtpm.on('exit', (code) => process.exit(code ?? 1))
