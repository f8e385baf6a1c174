/**
 * `npm run gcode-differential [-- --vectors DIR]`: each program that is bounded, against LinuxCNC's own interpreter (rs274 of the Debian package
 * linuxcnc-uspace). Its path must lie in the envelope, and be no longer; where nothing is an upper bound by design, the two must agree.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { vectorsFolder } from '../conformance/suite.ts'
import { compareWithRs274 } from './compare.ts'
import { linuxcncPrograms } from './linuxcnc-machine.ts'
import { hasRs274 } from './rs274.ts'

const folder = vectorsFolder()
const programs = linuxcncPrograms(folder)
if (!programs || !hasRs274()) {
  console.error(
    programs
      ? 'rs274 is not installed: apt-get install --no-install-recommends linuxcnc-uspace'
      : `no programs near ${folder}; give another place with --vectors DIR`,
  )
  process.exit(1)
}
const counts = new Map<string, number>()
let hasFailed = false
for (const name of programs.files) {
  const { kind, why } = compareWithRs274(readFileSync(join(programs.folder, name)))
  counts.set(kind, (counts.get(kind) ?? 0) + 1)
  if (kind === 'outside' || kind === 'differs') hasFailed = true
  if (why) console.log(`${kind}: ${name}: ${why}`)
}
console.log([...counts].map(([kind, count]) => `${count} ${kind}`).join(', '))
process.exit(hasFailed ? 1 : 0)
