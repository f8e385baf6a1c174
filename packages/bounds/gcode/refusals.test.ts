import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import type { MachineSetup } from './machine-setup.ts'
import { programEnvelope } from './program-envelope.ts'
import { fiveAxes, laser, mill, printer } from './test-machines.ts'

const setUp = 'G21 G90 G94 G17\nG0 X0 Y0 Z0\nF600\n'
const run = (program: string, setup: MachineSetup = mill) => programEnvelope(Buffer.from(program, 'latin1'), setup)

describe('a program is refused, with its line, for', () => {
  it.each([
    ['attack 68: a subprogram that is elsewhere', `${setUp}o100 call\nM2`, 'subprogram-unknown', 4],
    ['attack 68: a subprogram of M98 that is not there', `${setUp}M98 P1\nM2`, 'subprogram-unknown', 4],
    ['attack 68: a parameter that the program before may have set', `${setUp}G1 X#5\nM2`, 'parameter-unset', 4],
    ['attack 68: where a probe touched', `${setUp}G1 X#5061\nM2`, 'parameter-unknown', 4],
    ['attack 68: a name that is not there', `${setUp}G1 X#<depth>\nM2`, 'parameter-unset', 4],
    ['attack 68: a number of the control', `${setUp}#5221=7\nM2`, 'parameter-protected', 4],
    ['attack 68: a division by nothing', `${setUp}G1 X[1/0]\nM2`, 'expression-undefined', 4],
    ['attack 68: a root of less than nothing', `${setUp}G1 X[sqrt[-1]]\nM2`, 'expression-undefined', 4],
    ['attack 68: an expression without end', `${setUp}G1 X[1+2\nM2`, 'expression-malformed', 4],
    ['attack 68: too many brackets', `${setUp}G1 X${'['.repeat(60)}1${']'.repeat(60)}\nM2`, 'expression-malformed', 4],
    ['attack 68: a comment that is not closed', `${setUp}(G1 X1\nM2`, 'comment-open', 4],
    ['attack 68: a comment in a comment', `${setUp}(a (b) G1 X9)\nM2`, 'comment-open', 4],
    ['attack 68: a line that ends within a comment for some', `${setUp}; harmless\rG1 X999\nM2`, 'character-unsupported', 4],
    ['attack 68: a comment that is run', `${setUp};py,move()\nM2`, 'comment-active', 4],
    ['attack 68: a bare M99', `${setUp}M99\nM2`, 'loop-endless', 4],
    ['attack 67: a work offset that nobody knows', `${setUp}G56 G1 X1\nM2`, 'offset-unknown', 4],
    ['attack 67: G10 without saying what', `${setUp}G10 P1 X5\nM2`, 'word-missing', 4],
    ['a tool change at a place that nobody knows', `${setUp}T2 M6\nM2`, 'tool-change-unknown', 4],
    ['the length of a tool that nobody knows', `${setUp}G43 H3\nM2`, 'tool-unknown', 4],
    ['a reference that nobody knows', `${setUp}G28\nM2`, 'reference-unknown', 4],
    ['a probe', `${setUp}G38.2 Z-5\nM2`, 'code-forbidden', 4],
    ['an axis that the machine has not', `${setUp}G1 A90\nM2`, 'axis-unknown', 4],
    ['attack 69: a cut without a feed', 'G21 G90 G94 G17\nG0 X0 Y0 Z0\nG1 X5\nM2', 'feed-unset', 3],
    ['attack 69: a feed beyond all machines', `${setUp}F1000000000\nM2`, 'number-out-of-range', 4],
    ['attack 69: a feed of nothing', `${setUp}F0\nM2`, 'feed-unset', 4],
    ['attack 69: a spindle without a speed', `${setUp}M3\nM2`, 'spindle-unset', 4],
    ['attack 69: a cutting speed without a limit of turns', `${setUp}G96 S100\nM2`, 'spindle-unbounded', 4],
    ['attack 69: a block of G93 without its F', `${setUp}G93 G1 X1 F2\nX3\nM2`, 'feed-unset', 5],
    ['units that the program does not set', 'G90\nG0 X0\nM2', 'mode-unset', 2],
    ['a distance mode that it does not set', 'G21\nG0 X0\nM2', 'mode-unset', 2],
    ['a plane that it does not set', 'G21 G90 F600 G94\nG0 X0 Y0\nG2 X2 Y0 I1\nM2', 'mode-unset', 3],
    ['a relative move from an unknown place', 'G21 G91 G94 F600\nG1 X1\nM2', 'position-unknown', 2],
    ['axis words without a motion', 'G21 G90\nX1\nM2', 'motion-unset', 2],
    ['an arc that is none', `${setUp}G2 X10 Y0 I1 J0\nM2`, 'arc-malformed', 4],
    ['an arc whose circles differ by more than a thousandth', `${setUp}G2 X50 Y0 I24.98\nM2`, 'arc-malformed', 4],
    ['an arc without a centre', `${setUp}G2 X10\nM2`, 'arc-malformed', 4],
    ['two codes of one group', `${setUp}G0 G1 X1\nM2`, 'modal-conflict', 4],
    ['two codes that both take the axes', `${setUp}G92 G1 X1\nM2`, 'modal-conflict', 4],
    ['a word twice', `${setUp}G1 X1 X2\nM2`, 'word-repeated', 4],
    ['a number that two controllers read as two', `${setUp}G1 X1 2\nM2`, 'number-malformed', 4],
    ['a centre for a straight line', `${setUp}G1 X1 I1\nM2`, 'word-out-of-place', 4],
    ['a line that a switch at the machine may leave out', `${setUp}/G1 X1\nM2`, 'block-delete', 4],
    ['a line that is too long', `${setUp}${' '.repeat(300)}\nM2`, 'line-too-long', 4],
    ['an output that may switch something', `${setUp}M64 P0\nM2`, 'code-forbidden', 4],
    ['an arc right after compensation', `${setUp}G41.1 D1\nG1 X5\nG40\nG2 X9 R8\nM2`, 'compensation-malformed', 7],
    ['a cycle with a rotary axis', `${setUp}G98 G81 A1 Z-1 R0\nM2`, 'cycle-malformed', 4],
    ['a tape’s end without its beginning', `${setUp}%\nG1 X9\nM2`, 'character-unsupported', 4],
    ['a byte of nothing', `${setUp}\0\nM2`, 'character-unsupported', 4],
  ])('%s', (_name, program, reason, line) => {
    expect(run(program)).toMatchObject({ ok: false, reason, detail: { line } })
  })

  it.each([
    ['an endless tape', mill, setUp, 'program-without-end'],
    ['a code that the owner forbids', { ...fiveAxes, forbidden: ['M6'] }, `${setUp}T1 M6\nM2`, 'code-forbidden'],
    ['an axis without what it can do', { ...mill, axes: {} }, `${setUp}M2`, 'axis-unknown'],
    ['a start-up that says nothing of offsets', { ...mill, startUp: '' }, `${setUp}M2`, 'offset-unknown'],
    ['a start-up that is not understood', { ...mill, startUp: 'G54.7' }, `${setUp}M2`, 'code-forbidden'],
    ['attack 68: a byte that GRBL obeys inside a comment', laser, 'G21 G90\n(a!b)\n', 'character-unsupported'],
    ['attack 68: a parameter where there are none', laser, '#1=5\n', 'character-unsupported'],
    ['a setting of GRBL', laser, '$32=0\n', 'character-unsupported'],
    ['a laser that is on while somebody looks', laser, 'G21 G90 G94\nM3 S500\nM0\n', 'laser-left-on'],
    ['a laser that is on at the end', laser, 'G21 G90 G94\nM3 S500\n', 'laser-left-on'],
    ['two commands of Marlin in one line', printer, 'G21 G90\n', 'modal-conflict'],
    ['Marlin’s steps for a millimetre', printer, 'M92 X100\n', 'code-forbidden'],
    ['a probed bed', printer, 'G21\nG29\n', 'code-forbidden'],
    ['an axis of Marlin without its number', printer, 'G21\nG90\nG28\nG1 X F600\n', 'number-malformed'],
    ['a move of Marlin after the motors were off', printer, 'G21\nG90\nG28\nM84\nG91\nG1 X1 F600\n', 'position-unknown'],
    ['coordinates of Marlin that some G92 has shifted', printer, 'G21\nG90\nG1 X1 F600\n', 'offset-unknown'],
  ])('%s', (_name, setup, program, reason) => {
    expect(run(program, setup as MachineSetup)).toMatchObject({ ok: false, reason })
  })

  it('more bytes than are read', () => {
    expect(programEnvelope(new Uint8Array(64 * 1024 * 1024 + 1), mill)).toMatchObject({ reason: 'program-too-large' })
  })
})

const bad = fileURLToPath(new URL('../../../../shared/data/gcode/tests/interp/bad/', import.meta.url))
describe.skipIf(!existsSync(bad))('programs that others made to be bad', () => {
  const everything: MachineSetup = { ...fiveAxes, startUp: `G17 G21 G90 G94 G98 ${mill.startUp}`, start: { x: 0, y: 0, z: 0 } }
  it.each(
    readdirSync(bad, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ngc')),
  )('%s is refused', (name) => {
    const ran = programEnvelope(readFileSync(join(bad, name)), everything)
    expect(ran).toMatchObject({ ok: false, detail: { line: expect.any(Number), text: expect.any(String) } })
    expect(ran).not.toMatchObject({ reason: 'program-without-end' })
  })
})
