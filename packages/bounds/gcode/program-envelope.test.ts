import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { MachineSetup } from './machine-setup.ts'
import { type Envelope, programEnvelope } from './program-envelope.ts'
import { fiveAxes, mill } from './test-machines.ts'

const setUp = 'G21 G90 G94 G17\nG0 X0 Y0 Z0\nF600\n'
const run = (program: string, setup: MachineSetup = mill) => programEnvelope(Buffer.from(program), setup)
function envelope(program: string, setup?: MachineSetup): Envelope {
  const ran = run(program, setup)
  if (!ran.ok) throw new Error(`${ran.reason} ${JSON.stringify(ran.detail)}`)
  return ran.value
}
const axesOf = (program: string, setup?: MachineSetup) => envelope(program, setup).axes

describe('a program’s envelope', () => {
  it('is the box of its path, its greatest feed and speed, its length and its time', () => {
    const program = 'G21 G90 G94 G17\nG1 X0 Y0 Z0 F600\nM3 S12000\nG1 X60 F600\nY20 F300\nG4 P2\nM5\nM30'
    const { axes, feedMax, spindleMax, travelMm, seconds, leaves } = envelope(program, { ...mill, start: { x: 0, y: 0, z: 0 } })
    expect(axes).toEqual({ x: { min: 0, max: 60 }, y: { min: 0, max: 20 }, z: { min: 0, max: 0 } })
    expect({ feedMax, spindleMax, leaves }).toEqual({ feedMax: 600, spindleMax: 12_000, leaves: [] })
    expect(travelMm).toBeCloseTo(80, 3)
    expect(seconds).toBeCloseTo(6 + 4 + 2, 3)
  })

  it('counts the way from wherever the machine may stand, the time of rapids, and speeding up', () => {
    const axis = { min: -100, max: 300, ratePerMin: 6000, accelerationPerS2: 100 }
    const { travelMm, seconds } = envelope('G21 G90\nG0 X0\nM2', { ...mill, axes: { x: axis } })
    expect(travelMm).toBeCloseTo(300, 3)
    // 3 s at 100 mm/s, and a second to get there and to stop.
    expect(seconds).toBeCloseTo(4, 3)
  })

  it('attack 66: follows a switch to inches inside the program', () => {
    expect(axesOf(`${setUp}G20\nG1 X4\nM2`).x?.max).toBeCloseTo(101.6, 2)
    expect(run(`${setUp}G20 F10\nG1 X1\nM2`)).toMatchObject({ value: { feedMax: 254 } })
  })

  it('attack 67: adds up relative moves, and what roundings of the controller may add to them', () => {
    expect(axesOf(`${setUp}G91\n${'G1 X10\n'.repeat(40)}M2`).x?.max).toBeCloseTo(400, 2)
    const tenths = 'G21 G90 G94 G17\nF600\nG1 X0 Y0\nG91\n'.concat('G1 X0.1\n'.repeat(10_000))
    const floats = programEnvelope(Buffer.from(`${tenths}M2`), { ...mill, dialect: 'grbl', startUp: 'G54 G92.1 G49' })
    // Single precision adds up to more than a millimetre of doubt in ten thousand steps to 1000 mm.
    expect((floats as { value: Envelope }).value.axes.x?.max).toBeGreaterThan(1000.5)
    expect(axesOf(`${tenths}M2`).x?.max).toBeLessThan(1000.01)
  })

  it.each([
    ['attack 67: a shifted origin (G92)', `${setUp}G92 X100\nG1 X0\nG92.1\nM2`, 'x', -100, 0],
    ['attack 67: a moved origin (G52)', `${setUp}G52 X30\nG1 X5\nG52 X0\nM2`, 'x', 0, 35],
    ['attack 67: an offset set in the program (G10 L2)', `${setUp}G10 L2 P1 X200\nG1 X5\nG10 L2 P1 X0\nM2`, 'x', 0, 205],
    ['attack 67: an offset set to a position (G10 L20)', `${setUp}G1 X7\nG10 L20 P1 X0\nG1 X5\nG10 L2 P1 X0\nM2`, 'x', 0, 12],
    ['attack 67: machine coordinates (G53)', `${setUp}G92 X9\nG53 G1 X70\nG92.1\nM2`, 'x', 0, 70],
    ['attack 67: another work offset, turned (G55)', `${setUp}G55 G1 X10 Y0\nM2`, 'y', 0, 60],
    ['a tool’s length (G43)', `${setUp}T1 M6\nG43\nG1 Z-5\nG49\nM2`, 'z', 0, 100],
    ['a reference by way of a place (G28)', `${setUp}G28 X30\nM2`, 'x', -50, 30],
    ['a compensated path, by the tool’s radius (G41)', `${setUp}G41.1 D8\nG1 X10\nX20\nG40\nG1 X30\nM2`, 'y', -4, 4],
    ['a cubic spline (G5)', `${setUp}G5 I0 J30 P0 Q-40 X10 Y0\nM2`, 'y', -40, 30],
    ['a rotary axis', `${setUp}G1 A-90\nA720\nM2`, 'a', -90, 720],
    ['a diameter (G7)', `${setUp}G7 G1 X20\nM2`, 'x', 0, 10],
    ['a helix', `${setUp}G2 X0 Y0 I5 J0 Z-12 P3\nM2`, 'x', 0, 10],
  ] as const)('holds %s', (_name, program, axis, min, max) => {
    const extent = axesOf(program, fiveAxes)[axis]
    expect(extent?.min).toBeCloseTo(min, 2)
    expect(extent?.max).toBeCloseTo(max, 2)
  })

  it('holds the bulge of an arc, and a full circle', () => {
    expect(axesOf(`${setUp}G2 X20 Y0 I10 J0\nM2`).y?.max).toBeCloseTo(10, 2)
    expect(axesOf(`${setUp}G3 X20 Y0 I10 J0\nM2`).y?.min).toBeCloseTo(-10, 2)
    const circle = axesOf(`${setUp}G2 X0 Y0 I10 J0\nM2`)
    expect([circle.x?.max, circle.y?.min].map((value) => Math.round(value ?? 0))).toEqual([20, -10])
    expect(axesOf(`${setUp}G2 X20 Y0 R10 Z-5\nM2`).z?.min).toBe(-5)
    expect(axesOf(`${setUp}G90.1 G2 X20 Y0 I10 J0\nM2`).y?.max).toBeCloseTo(10, 2)
    expect(
      envelope(`G21 G90 G94 G17 F600\nG1 X0 Y0\nG2 X0 Y0 I10 J0 P2\nM2`, { ...mill, start: { x: 0, y: 0, z: 0 } }).travelMm,
    ).toBeCloseTo(40 * Math.PI, 2)
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

  it('a turned work offset does not make the box grow with every move', () => {
    const turned = `G10 L2 P1 R30\n${'G1 X3 Y2\nG1 X1\nG91 G1 Y0.5\nG90\n'.repeat(5_000)}G10 L2 P1 R0\nM2`
    expect(axesOf(`${setUp}${turned}`).x?.max).toBeLessThan(3)
  })

  it.each([
    ['a work offset', `${setUp}G10 L2 P1 X5\nM2`, ['work offset 1']],
    ['a shift', `${setUp}G92 X5\nM2`, ['G92']],
    ['a tool’s length', `${setUp}G43.1 Z5\nM2`, ['tool length']],
    ['a tool', `${setUp}G10 L1 P1 Z5\nM2`, ['tool 1']],
  ])('attack 67: says that a program leaves %s behind for the next one', (_name, program, leaves) => {
    expect(envelope(program, fiveAxes).leaves).toEqual(leaves)
  })

  it('ends where the controller ends: what follows M2 or the tape’s end is not run', () => {
    expect(axesOf(`${setUp}G1 X5\nM2\nG1 X9999`).x?.max).toBe(5)
    expect(axesOf(`%\n${setUp}G1 X5\n%\nG1 X9999`).x?.max).toBe(5)
  })

  it('does canned cycles: down, pecked, repeated, and back', () => {
    const cycle = (words: string) => envelope(`${setUp}G0 Z10\nG98\n${words}\nG80\nM2`)
    expect(cycle('G81 X5 Y5 Z-3 R2').axes.x?.max).toBeCloseTo(5, 2)
    expect(cycle('G81 X5 Y5 Z-3 R2').axes.z?.min).toBeCloseTo(-3, 2)
    expect(cycle('G91 G81 X10 Z-6 R-8 L4').axes.x?.max).toBeCloseTo(40, 2)
    expect(cycle('G91 G81 X10 Z-6 R-8 L4').axes.z?.min).toBeCloseTo(-4, 2)
    expect(cycle('G83 X1 Z-10 R1 Q1').motions).toBeGreaterThan(cycle('G81 X1 Z-10 R1').motions + 20)
    expect(cycle('G81 X5 Y5 Z-3 R2\nX50').axes.x?.max).toBeCloseTo(50, 2)
  })
})
