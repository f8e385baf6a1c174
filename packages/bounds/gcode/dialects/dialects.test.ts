import { describe, expect, it } from 'vitest'
import { type Envelope, programEnvelope } from '../program-envelope.ts'
import { laser, printer } from '../test-machines.ts'

function run(program: string, setup: typeof laser): Envelope {
  const ran = programEnvelope(Buffer.from(program), setup)
  if (!ran.ok) throw new Error(`${ran.reason} ${JSON.stringify(ran.detail)}`)
  return ran.value
}

describe('GRBL with a laser', () => {
  const engraving = 'G21 G90 G94\nM5\nG0 X0 Y0\nM3 S500\nG1 X60 F600\nG0 Y0\nM4 S1000\nG1 X0\nM5\n'
  it('S is power, and energy is power for as long as the beam may be on; rapids are dark', () => {
    const { powerMaxW, energyJ, spindleMax } = run(engraving, laser)
    expect({ powerMaxW, spindleMax }).toEqual({ powerMaxW: 80, spindleMax: 0 })
    expect(energyJ).toBeCloseTo(40 * 6 + 80 * 6, 1)
  })

  it('a standing beam burns through a dwell', () => {
    expect(run('G21 G90 G94\nG0 X0\nM3 S1000\nG4 P3\nM5\n', laser).energyJ).toBeCloseTo(240, 1)
  })

  it.each(['M2', 'M30', '%'])('attack 68: what follows %s is run by a machine that is fed line by line, and counts', (end) => {
    expect(run(`G21 G90 G94\nG0 X0\n${end}\nG0 X9999\n`, laser).axes.x?.max).toBe(9999)
    expect(run('G21 G91 G94 G18\nM3 S1000\nM2\nG0 X5\n', laser)).toMatchObject({ axes: { x: { max: 5 } }, energyJ: 0 })
  })

  it('is an S of turns where there is no laser', () => {
    const { laser: _laser, ...spindle } = laser
    expect(run(engraving, spindle)).toMatchObject({ spindleMax: 1000, powerMaxW: 0, energyJ: 0 })
  })
})

describe('Marlin', () => {
  const begin = 'M140 S60\nM104 S200\nM190 S60\nM109 S215\nG21\nG90\nM82\nG28\nG92 E0\n'
  it('heats, homes, extrudes, and waits', () => {
    const program = `${begin}G1 X60 E5 F600\nG1 E3\nG1 X0 E10\nM117 Done (really)! *\nM104 S0\nM84\n`
    const { axes, temperatures, materialMm, waits, feedMax } = run(program, printer)
    expect(axes).toMatchObject({ x: { max: 60 } })
    expect(temperatures).toEqual({ hotend: 215, bed: 60, chamber: 0 })
    expect(materialMm).toBeCloseTo(5 + 7, 3)
    expect({ waits, feedMax }).toEqual({ waits: 3, feedMax: 600 })
  })

  it('counts relative filament, flow and feed per cent', () => {
    const { materialMm, feedMax } = run(`${begin}M83\nM221 S150\nM220 S200\nG1 X10 E2 F600\nG1 X20 E2\n`, printer)
    expect(materialMm).toBeCloseTo(6, 3)
    expect(feedMax).toBe(1200)
  })

  it('keeps G0 to the feed, dwells in milliseconds, and takes longer where it speeds up more slowly', () => {
    expect(run(`${begin}G1 F600\nG0 X60\nG4 P500\n`, printer).seconds).toBeCloseTo(6.5, 1)
    expect(run(`${begin}M204 S10\nG1 X60 F600\n`, printer).seconds).toBeGreaterThan(6.9)
  })
})
