/** `npm run conformance [-- --vectors DIR]`: judges the cases that others wrote and prints one line a suite. */

import { vectorsFolder } from './suite.ts'
import { suites } from './suites.ts'

const folder = vectorsFolder()
let failures = 0
for (const [name, suite] of Object.entries(suites)) {
  const result = await suite(folder)
  if (!result) {
    console.log(`${name}: no vectors in ${folder}; give another place with --vectors DIR`)
    failures++
    continue
  }
  const leftOut = [...result.leftOut].map(([why, count]) => `${count} ${why}`)
  const count = [...result.leftOut.values()].reduce((sum, cases) => sum + cases, 0)
  console.log(
    `${name}: ${result.passed} passed, ${result.failed.length} failed, ${count} left out${leftOut.length > 0 ? ` (${leftOut.join('; ')})` : ''}`,
  )
  for (const { id, why } of result.failed) console.log(`  ${id}: ${why}`)
  failures += result.failed.length
}
process.exit(failures === 0 ? 0 : 1)
