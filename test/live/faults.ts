/** `npm run faults [-- --minutes N]`: kill -9 of every service under load, round after round, for so long (an hour unless said otherwise). */
import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'

const { values } = parseArgs({ options: { minutes: { type: 'string', default: '60' } } })
const minutes = Number(values.minutes)
if (!(minutes > 0)) {
  console.error(`npm run faults: --minutes ${values.minutes} is no number of minutes. Write for example --minutes 60.`)
  process.exit(64)
}
const run = fileURLToPath(new URL('../run.ts', import.meta.url))
const { status } = spawnSync(process.execPath, [run, 'test/live/kill.stack.test.ts'], {
  stdio: 'inherit',
  env: { ...process.env, INTERLOCK_FAULT_MINUTES: String(minutes) },
})
process.exit(status ?? 1)
