/** `npm test`: runs vitest with the arguments given and ends with a plain line `N passed, N failed`. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

const root = new URL('../', import.meta.url)
const scratch = mkdtempSync(join(tmpdir(), 'interlock-test-'))
const report = join(scratch, 'report.json')
const vitest = new URL('node_modules/vitest/vitest.mjs', root).pathname
const { status } = spawnSync(
  process.execPath,
  [vitest, 'run', '--reporter=default', '--reporter=json', `--outputFile.json=${report}`, ...process.argv.slice(2)],
  { cwd: root, stdio: 'inherit' },
)
const counts = (() => {
  try {
    return JSON.parse(readFileSync(report, 'utf8')) as {
      numPassedTests: number
      numFailedTests: number
      numPendingTests: number
      numFailedTestSuites: number
    }
  } catch {
    return undefined
  } finally {
    rmSync(scratch, { recursive: true, force: true })
  }
})()
if (!counts) {
  console.error('npm test: vitest left no report; what went wrong stands above')
  process.exit(1)
}
const skipped = counts.numPendingTests > 0 ? `, ${counts.numPendingTests} skipped` : ''
// A file that could not be loaded has no failed test, and an error outside of all tests neither.
const failed = counts.numFailedTests || (status === 0 ? 0 : Math.max(1, counts.numFailedTestSuites))
console.log(`${counts.numPassedTests} passed, ${failed} failed${skipped}`)
process.exit(status === 0 && counts.numPassedTests > 0 ? 0 : 1)
