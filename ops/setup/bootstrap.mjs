/**
 * Brings what a clean clone lacks, before `npm start` and `npm test`: the packages of package-lock.json, Node 24 among them.
 * Plain JavaScript without dependencies, since it runs with whatever Node (20 or later) the machine has.
 */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'

const root = new URL('../../', import.meta.url)
const stamp = new URL('node_modules/.interlock-lock-digest', root)
const digest = createHash('sha256')
  .update(readFileSync(new URL('package-lock.json', root)))
  .digest('hex')

if (!existsSync(stamp) || readFileSync(stamp, 'utf8') !== digest) {
  console.log('interlock: installing the packages of package-lock.json (once, about a minute)')
  const { status } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], { cwd: root, stdio: 'inherit' })
  if (status !== 0) {
    console.error('interlock: `npm ci` failed (see above). Check that the npm registry can be reached, then try again.')
    process.exit(1)
  }
  writeFileSync(stamp, digest)
}
