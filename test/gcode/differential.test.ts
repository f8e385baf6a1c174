import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { vectorsFolder } from '../conformance/suite.ts'
import { compareWithRs274 } from './compare.ts'
import { linuxcncPrograms } from './linuxcnc-machine.ts'
import { hasRs274 } from './rs274.ts'

const programs = linuxcncPrograms(vectorsFolder([]))
// 113 Debian packages, a desktop among them, are too much to bring for a test: `npm run gcode-differential` says how to install it.
const sample = programs && hasRs274() ? programs.files.filter((_name, index) => index % 12 === 0) : []
if (sample.length === 0) console.warn('LEFT OUT: LinuxCNC’s interpreter (rs274) or its programs are not here')

it.skipIf(sample.length === 0).each(sample.length > 0 ? sample : ['none'])(
  '%s stays in its envelope as LinuxCNC runs it',
  (name) => {
    const { kind, why } = compareWithRs274(readFileSync(join(programs?.folder ?? '', name)))
    expect(['outside', 'differs'], why).not.toContain(kind)
  },
)
