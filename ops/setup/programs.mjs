/** What neither npm nor Maven can bring: named with the command that installs it, and installed where that needs no question. */
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { platform } from 'node:os'
import { missingReleases } from './jars.mjs'
import { findJava, javaVersionMin } from './java.mjs'
import { run, SetUpError, say } from './say.mjs'

const isThere = (command) => spawnSync('sh', ['-c', `command -v ${command}`]).status === 0

/** As services/token-service/pages/test-browser.ts looks for it. */
const isBrowserThere = () =>
  ['chromium', 'chromium-browser', 'google-chrome'].some(isThere) || existsSync('/Applications/Chromium.app')

/** What this machine lacks: what to call it, and the packages that have it. */
function missingPrograms({ forTests }) {
  const programs = [
    {
      name: `Java ${javaVersionMin} or later`,
      debian: 'default-jre-headless',
      brew: 'openjdk',
      isThere: () => findJava() !== undefined,
    },
    { name: 'mvn', debian: 'maven', brew: 'maven', isThere: () => missingReleases().length === 0 || isThere('mvn') },
    { name: 'swtpm', debian: 'swtpm', brew: 'swtpm', isThere: () => isThere('swtpm') },
    { name: 'swtpm_setup', debian: 'swtpm-tools', brew: 'swtpm', isThere: () => isThere('swtpm_setup') },
    { name: 'softhsm2-util', debian: 'softhsm2', brew: 'softhsm', isThere: () => !forTests || isThere('softhsm2-util') },
    { name: 'pkcs11-tool', debian: 'opensc', brew: 'opensc', isThere: () => !forTests || isThere('pkcs11-tool') },
    { name: 'tpm2_quote', debian: 'tpm2-tools', brew: 'tpm2-tools', isThere: () => !forTests || isThere('tpm2_quote') },
    { name: 'ps', debian: 'procps', brew: 'procps', isThere: () => !forTests || isThere('ps') },
    { name: 'Chromium', debian: 'chromium', brew: 'chromium', isCask: true, isThere: () => !forTests || isBrowserThere() },
  ]
  return programs.filter((program) => !program.isThere())
}

/**
 * Decides at once whether the programs can be had: throws SetUpError with the commands where not. The function that comes back
 * installs what is missing, or is undefined where nothing is.
 */
export function planPrograms(needs) {
  const missing = missingPrograms(needs)
  if (missing.length === 0) return undefined
  const debian = [...new Set(missing.map((program) => program.debian))]
  const install = `apt-get update && apt-get install -y --no-install-recommends -o DPkg::Lock::Timeout=300 ${debian.join(' ')}`
  const prefix = platform() === 'linux' && isThere('apt-get') ? rootPrefix() : undefined
  if (!prefix) {
    const remedy = `Install with
    Debian:          sudo sh -c '${install}'
    macOS:           ${brewCommands(missing).join(' && ')}
  and run the command again.`
    throw new SetUpError(`This machine lacks ${missing.map(({ name }) => name).join(', ')}.`, remedy)
  }
  return async () => {
    say(`about to install with apt-get: ${debian.join(', ')}`)
    const [command, ...args] = [...prefix, 'sh', '-c', install]
    await run('Debian packages', command, args, { env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' } })
  }
}

/** An application is a cask, which cannot be named together with formulae. */
function brewCommands(missing) {
  const named = (isCask) => [
    ...new Set(missing.filter((program) => (program.isCask ?? false) === isCask).map(({ brew }) => brew)),
  ]
  const commands = { 'brew install': named(false), 'brew install --cask': named(true) }
  return Object.entries(commands).flatMap(([command, names]) => (names.length > 0 ? [`${command} ${names.join(' ')}`] : []))
}

/** What to put before a command to run it as root without a question; undefined where there is no such way. */
function rootPrefix() {
  if (process.getuid() === 0) return []
  return spawnSync('sudo', ['-n', 'true']).status === 0 ? ['sudo', '-n'] : undefined
}
