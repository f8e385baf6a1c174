/**
 * Brings what a clean clone lacks, before `npm start` and `npm test`: the packages of package-lock.json (Node 24 among them) and the
 * programs that npm cannot bring. Plain JavaScript without dependencies, since it runs with whatever Node (20 or later) the machine has.
 * `--test` adds what only tests need.
 */
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { platform } from 'node:os'

const root = new URL('../../', import.meta.url)
const stamp = new URL('node_modules/.interlock-lock-digest', root)

/** What npm cannot bring: the command that shows it is there, and the package that has it. */
const programs = [
  { command: 'swtpm', debian: 'swtpm', brew: 'swtpm' },
  { command: 'swtpm_setup', debian: 'swtpm-tools', brew: 'swtpm' },
  ...(process.argv.includes('--test') ? [{ command: 'tpm2_quote', debian: 'tpm2-tools', brew: 'tpm2-tools' }] : []),
]

const say = (text) => console.log(`interlock: ${text}`)
const fail = (text) => {
  console.error(`interlock: ${text}`)
  process.exit(1)
}
const isThere = (command) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0

/** Runs a command, and says every ten seconds that it is still at it. Its output is shown only where it fails. */
function run(what, command, args, options = {}) {
  return new Promise((resolve) => {
    const began = Date.now()
    const seconds = () => `${Math.round((Date.now() - began) / 1000)} s`
    const output = []
    const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] })
    const tick = setInterval(() => say(`${what}: ${seconds()}`), 10_000)
    for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => output.push(data))
    const end = (isDone, text) => {
      clearInterval(tick)
      if (isDone) say(`${what}: done in ${seconds()}`)
      else console.error(`${Buffer.concat(output)}\n${text}`)
      resolve(isDone)
    }
    child.on('error', (error) => end(false, error.message))
    child.on('close', (code) => end(code === 0, `${command} ended with ${code}`))
  })
}

async function bringPackages() {
  const digest = createHash('sha256')
    .update(readFileSync(new URL('package-lock.json', root)))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return true
  say('installing the packages of package-lock.json')
  if (!(await run('npm packages', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: root }))) return false
  writeFileSync(stamp, digest)
  return true
}

async function bringPrograms() {
  const missing = programs.filter(({ command }) => !isThere(command))
  if (missing.length === 0) return true
  const debian = [...new Set(missing.map((program) => program.debian))]
  const install = `apt-get update && apt-get install -y --no-install-recommends ${debian.join(' ')}`
  const names = missing.map(({ command }) => command).join(', ')
  if (platform() === 'darwin')
    fail(`missing: ${names}. Install with: brew install ${[...new Set(missing.map(({ brew }) => brew))].join(' ')}`)
  const prefix = process.getuid() === 0 ? [] : spawnSync('sudo', ['-n', 'true']).status === 0 ? ['sudo', '-n'] : undefined
  if (!isThere('apt-get')) fail(`missing: ${names}. Install them with this system's package manager, then run the command again.`)
  if (!prefix) fail(`missing: ${names}. Install with: sudo sh -c '${install}'`)
  say(`about to install with apt-get: ${debian.join(', ')}`)
  const [command, ...args] = [...prefix, 'sh', '-c', install]
  return run('Debian packages', command, args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
}

const brought = await Promise.all([bringPackages(), bringPrograms()])
if (brought.includes(false))
  fail('the set-up failed, see above. Check that the package registries can be reached, then run the command again.')
