/** `npm run opa`: builds OPA's compiler into the user's cache, since no package registry has it. Only who writes policies needs it, and some tests. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { cacheDirectory } from './releases.mjs'
import { run } from './say.mjs'

const version = '1.22.2'
const folder = join(cacheDirectory(), `opa-${version}`)
mkdirSync(folder, { recursive: true })
const environment = { ...process.env, GOBIN: folder }
try {
  await run(`OPA ${version}`, 'go', ['install', `github.com/open-policy-agent/opa@v${version}`], { env: environment })
  console.log(join(folder, 'opa'))
} catch (error) {
  console.error(`${error.message}\n  It needs Go 1.24 or later: https://go.dev/doc/install`)
  process.exitCode = 69
}
