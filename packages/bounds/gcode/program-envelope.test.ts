import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { programEnvelope } from './program-envelope.ts'

const setUp = 'G21 G90 G94 G17\nG0 X0 Y0 Z0\nF600\n'
const run = (program: string) => programEnvelope(Buffer.from(program))
const axesOf = (program: string) => {
  const ran = run(program)
  if (!ran.ok) throw new Error(`${ran.reason} ${JSON.stringify(ran.detail)}`)
  return ran.value.axes
}

describe('a program’s envelope', () => {
  it('is the box of its path, its greatest feed and speed, and its time', () => {
    const ran = run(`${setUp}M3 S12000\nG1 X60 F600\nY20 F300\nG4 P2\nM5\nM30`)
    expect(ran).toMatchObject({ ok: true, value: { feedMax: 600, spindleMax: 12_000, lines: 9 } })
    const { axes, seconds } = (ran as { value: { axes: Record<string, { min: number; max: number }>; seconds: number } }).value
    expect(axes.x?.max).toBeCloseTo(60, 2)
    expect(axes.y?.max).toBeCloseTo(20, 2)
    expect(seconds).toBeCloseTo(6 + 4 + 2, 6)
  })

  it('attack 66: follows a switch to inches inside the program', () => {
    expect(axesOf(`${setUp}G20\nG1 X4\nM2`).x?.max).toBeCloseTo(101.6, 2)
    expect(run(`${setUp}G20 F10\nG1 X1\nM2`)).toMatchObject({ value: { feedMax: 254 } })
  })

  it('attack 67: adds up relative moves', () => {
    expect(axesOf(`${setUp}G91\n${'G1 X10\n'.repeat(40)}M2`).x?.max).toBeCloseTo(400, 2)
  })

  it('holds the bulge of an arc, and a full circle', () => {
    expect(axesOf(`${setUp}G2 X20 Y0 I10 J0\nM2`).y?.max).toBeCloseTo(10, 2)
    expect(axesOf(`${setUp}G3 X20 Y0 I10 J0\nM2`).y?.min).toBeCloseTo(-10, 2)
    expect(axesOf(`${setUp}G2 X0 Y0 I10 J0\nM2`)).toMatchObject({
      x: { max: expect.closeTo(20, 2) },
      y: { min: expect.closeTo(-10, 2) },
    })
    expect(axesOf(`${setUp}G2 X20 Y0 R10 Z-5\nM2`).z?.min).toBeCloseTo(-5, 2)
  })

  it('holds every point of an arc, by dense sampling of the path', () => {
    const number = (min: number, max: number) => fc.double({ min, max, noNaN: true })
    const arcs = fc.record({ radius: number(1, 50), from: number(0, 6.28), sweep: number(0.05, 6.2), isClockwise: fc.boolean() })
    fc.assert(
      fc.property(arcs, ({ radius, from, sweep, isClockwise }) => {
        const at = (angle: number) => [radius * Math.cos(angle), radius * Math.sin(angle)] as const
        const turn = isClockwise ? -sweep : sweep
        const [startX, startY] = at(from)
        const [endX, endY] = at(from + turn)
        const words = [`G1 X${startX.toFixed(6)} Y${startY.toFixed(6)}`]
        words.push(
          `${isClockwise ? 'G2' : 'G3'} X${endX.toFixed(6)} Y${endY.toFixed(6)} I${(-startX).toFixed(6)} J${(-startY).toFixed(6)}`,
        )
        const { x, y } = axesOf(`${setUp}${words.join('\n')}\nM2`) as Record<'x' | 'y', { min: number; max: number }>
        for (let step = 0; step <= 200; step += 1) {
          const [px, py] = at(from + (turn * step) / 200)
          if (px < x.min - 0.005 || px > x.max + 0.005 || py < y.min - 0.005 || py > y.max + 0.005) return false
        }
        return true
      }),
    )
  })

  it.each([
    ['attack 68: an O-word', `${setUp}o100 call\nM2`, 'word-unsupported', 4],
    ['attack 68: a parameter', `${setUp}#1=5\nM2`, 'character-unsupported', 4],
    ['attack 68: an expression', `${setUp}G1 X[1+2]\nM2`, 'number-malformed', 4],
    ['attack 68: a subprogram', `${setUp}M98 P1\nM2`, 'code-forbidden', 4],
    ['attack 68: a comment that is not closed', `${setUp}(G1 X1\nM2`, 'comment-open', 4],
    ['attack 67: a shifted work offset', `${setUp}G92 X5\nM2`, 'code-forbidden', 4],
    ['attack 67: an offset set by G10', `${setUp}G10 P1 X5\nM2`, 'code-forbidden', 4],
    ['attack 67: another work offset', `${setUp}G55\nM2`, 'code-forbidden', 4],
    ['attack 67: machine coordinates', `${setUp}G53 G0 Z0\nM2`, 'code-forbidden', 4],
    ['a canned cycle', `${setUp}G81 Z-1 R1\nM2`, 'code-forbidden', 4],
    ['a tool change', `${setUp}T2 M6\nM2`, 'code-forbidden', 4],
    ['an axis that is not known', `${setUp}G1 A90\nM2`, 'word-unsupported', 4],
    ['attack 69: a cut without a feed', 'G21 G90 G94 G17\nG0 X0 Y0 Z0\nG1 X5\nM2', 'feed-unset', 3],
    ['attack 69: a feed beyond all machines', `${setUp}F1000000000\nM2`, 'number-out-of-range', 4],
    ['a feed of nothing', `${setUp}F0\nM2`, 'feed-unset', 4],
    ['a spindle without a speed', `${setUp}M3\nM2`, 'spindle-unset', 4],
    ['units that the program does not set', 'G90\nG0 X0\nM2', 'units-unset', 2],
    ['a distance mode that it does not set', 'G21\nG0 X0\nM2', 'distance-unset', 2],
    ['a plane that it does not set', 'G21 G90 F600\nG0 X0 Y0\nG2 X2 Y0 I1\nM2', 'plane-unset', 3],
    ['a relative move from an unknown place', 'G21 G91 F600\nG1 X1\nM2', 'position-unknown', 2],
    ['axis words without a motion', 'G21 G90\nX1\nM2', 'motion-unset', 2],
    ['an arc that is none', `${setUp}G2 X10 Y0 I1 J0\nM2`, 'arc-malformed', 4],
    ['two codes of one group', `${setUp}G0 G1 X1\nM2`, 'modal-conflict', 4],
    ['a word twice', `${setUp}G1 X1 X2\nM2`, 'word-repeated', 4],
    ['a centre for a straight line', `${setUp}G1 X1 I1\nM2`, 'word-out-of-place', 4],
    ['a line that a switch at the machine may leave out', `${setUp}/G1 X1\nM2`, 'block-delete', 4],
    ['a line without end', `${setUp}${' '.repeat(300)}\nM2`, 'line-too-long', 4],
  ])('is refused for %s, with its line', (_name, program, reason, line) => {
    expect(run(program)).toMatchObject({ ok: false, reason, detail: { line } })
  })

  it('is refused where the program does not end, is too large or is not plain text', () => {
    expect(run(setUp)).toMatchObject({ reason: 'program-without-end' })
    expect(run('\n'.repeat(100_001))).toMatchObject({ reason: 'program-too-large' })
    expect(programEnvelope(Buffer.alloc(600_000, 32))).toMatchObject({ reason: 'program-too-large' })
    expect(programEnvelope(Buffer.from([0x47, 0x00]))).toMatchObject({ reason: 'program-not-ascii' })
  })

  it('ends where the controller ends: what follows M2 is not run', () => {
    expect(axesOf(`${setUp}G1 X5\nM2\nG1 X9999`).x?.max).toBeCloseTo(5, 2)
  })

  it('never throws, whatever the bytes', () => {
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => typeof programEnvelope(bytes).ok === 'boolean'))
    const words = fc.array(
      fc.constantFrom('G0', 'G1', 'G2', 'X1', 'Y-2', 'I1', 'R3', '\n', 'F9', 'G91', 'G20', 'M2', 'P1', '(', 'S1', 'M3'),
    )
    fc.assert(fc.property(words, (list) => typeof run(list.join(' ')).ok === 'boolean'))
  })
})

const shared = fileURLToPath(new URL('../../../../shared/data/gcode/', import.meta.url))
describe.skipIf(!existsSync(shared))('programs that others wrote', () => {
  it('each get an envelope, or a refusal that names the line', () => {
    const files = filesIn(shared)
    const results = files.map((file) => ({ file, ran: programEnvelope(readFileSync(file)) }))
    for (const { file, ran } of results) {
      if (!ran.ok && !['program-without-end', 'program-not-ascii', 'program-too-large'].includes(ran.reason))
        expect(ran.detail, file).toHaveProperty('line')
    }
    expect(results.filter(({ ran }) => ran.ok).length).toBeGreaterThan(10)
  })
})

function filesIn(folder: string): string[] {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name)
    return statSync(path).isDirectory() ? filesIn(path) : /\.(ngc|nc|gcode)$/.test(name) ? [path] : []
  })
}
