/** The packages of package-lock.json, Node 24 among them: installed once for each state of the lock. */
import { createHash } from 'node:crypto'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { run } from './say.mjs'

const root = new URL('../../', import.meta.url)
const stamp = new URL('node_modules/.interlock-lock-digest', root)

export async function bringPackages() {
  const digest = createHash('sha256')
    .update(readFileSync(new URL('package-lock.json', root)))
    .digest('hex')
  if (existsSync(stamp) && readFileSync(stamp, 'utf8') === digest) return
  await run('install the packages of package-lock.json', 'npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: root,
  })
  writeFileSync(stamp, digest)
}
