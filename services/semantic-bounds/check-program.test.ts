import type { DeviceEntry, ProgramProfile } from '@interlock/contracts'
import { deviceEntrySchema } from '@interlock/contracts'
import type { StageInput } from '@interlock/enforcer'
import { deviceProfiles } from '@interlock/sdk/trust-domain'
import { describe, expect, it } from 'vitest'
import { checkProgram } from './check-program.ts'

type Capability = DeviceEntry['capabilities'][string]
const milling = deviceProfiles['mill-1']?.capabilities['mill.run-program'] as Capability
const profile = milling.program as ProgramProfile
const asked = { feed: { value: '1500', unit: 'mm/min' }, spindle: { value: '12000', unit: '/min' } }

function check(text: string, change: Partial<ProgramProfile> = {}, quantities: Parameters<typeof checkProgram>[2] = asked) {
  const program = Buffer.from(text)
  const reference = { mediaType: 'text/x-gcode', sha256: 'A'.repeat(43), bytes: program.length }
  const input = { command: { program: reference }, intent: { program } } as unknown as StageInput
  return checkProgram(input, { ...milling, program: { ...profile, ...change } }, quantities)
}

const setUp = 'G21 G90 G94 G17\nG0 X0 Y0 Z5\nM3 S12000\nF1500\n'
const engraver: Partial<ProgramProfile> = {
  axes: { x: { min: '0', max: '300', unit: 'mm' }, y: { min: '0', max: '200', unit: 'mm' } },
  machine: {
    dialect: 'grbl',
    startUp: 'G54 G92.1 G49',
    motion: { x: { ratePerMin: 6000, accelerationPerS2: 1000 }, y: { ratePerMin: 6000, accelerationPerS2: 1000 } },
    workOffsets: { 1: { x: 0, y: 0 } },
    laser: { sMax: 1000, powerMaxW: 40 },
  },
}
const engraving = 'G21 G90 G94\nG0 X0 Y0\nM4 S500\nG1 X100 F1500\nM5\n'
const power = { ...asked, power: { value: '20', unit: 'W' } }
const printer: Partial<ProgramProfile> = {
  machine: { dialect: 'marlin', motion: profile.machine.motion, home: { x: 0, y: 0, z: 0 } },
}

describe('a program is refused by what it does', () => {
  it('and allowed where it stays inside', () => {
    expect(check(`${setUp}G1 X60\nM5\nM2`)).toMatchObject({ ok: true, value: { feedMax: 1500, spindleMax: 12_000 } })
    expect(
      check(engraving, { ...engraver, limits: { power: { max: '20', unit: 'W' }, energy: { max: '1', unit: 'kJ' } } }, power),
    ).toMatchObject({ ok: true })
  })

  it.each([
    [
      'attack 66: inches',
      `${setUp}G20 G1 X6\nM2`,
      'program-outside-machine',
      { axis: 'x', limitOf: 'machine', nearest: { value: '150', unit: 'mm' } },
    ],
    [
      'attack 66: a feed in inches',
      `${setUp}G20 G1 X1 F100\nM2`,
      'program-outside-command',
      { parameter: 'feed', limitOf: 'command' },
    ],
    ['attack 67: relative moves', `${setUp}G91\n${'G1 X60\n'.repeat(3)}M2`, 'program-outside-machine', { axis: 'x' }],
    ['attack 67: a shift first (G92)', `${setUp}G92 X-100\nG1 X60\nG92.1\nM2`, 'program-outside-machine', { axis: 'x' }],
    [
      'attack 67: an offset first (G10)',
      `${setUp}G10 L2 P1 X100\nG1 X60\nG10 L2 P1 X0\nM2`,
      'program-outside-machine',
      { axis: 'x' },
    ],
    ['attack 67: a shift for the program after', `${setUp}G92 X100\nM2`, 'program-leaves-offsets', { left: 'G92' }],
    [
      'attack 67: an offset for the program after',
      `${setUp}G10 L2 P1 X100\nM2`,
      'program-leaves-offsets',
      { left: 'work offset 1' },
    ],
    ['attack 67: a work offset that the profile has not', `${setUp}G55 G1 X0\nM2`, 'gcode-offset-unknown', { line: 5 }],
    [
      'attack 68: arithmetic',
      `${setUp}#1=[70*3]\nG1 X#1\nM2`,
      'program-outside-machine',
      { asked: { value: '210', unit: 'mm' } },
    ],
    [
      'attack 68: a subprogram',
      `${setUp}o1 sub\nG91 G1 X40\no1 endsub\no2 repeat [9]\no1 call\no2 endrepeat\nM2`,
      'program-outside-machine',
      { axis: 'x' },
    ],
    ['attack 68: an endless loop', `${setUp}o1 while [1]\no1 endwhile\nM2`, 'gcode-program-too-long', { stepsMax: 2_000_000 }],
    ['attack 68: endless recursion', `${setUp}M98 P1\nM2\nO1\nM98 P1\nM99`, 'gcode-call-too-deep', {}],
    ['attack 68: an arc whose bulge leaves', `${setUp}G0 Y60\nG2 X100 Y60 R50\nM2`, 'program-outside-machine', { axis: 'y' }],
    [
      'attack 69: a feed beyond',
      `${setUp}G1 X1 F1501\nM2`,
      'program-outside-command',
      { parameter: 'feed', nearest: { value: '1500', unit: 'mm/min' } },
    ],
    ['attack 69: F1000000000', `${setUp}F1000000000\nM2`, 'gcode-number-out-of-range', { line: 5 }],
    ['attack 69: a spindle beyond', `${setUp}S12001\nM2`, 'program-outside-command', { parameter: 'spindle' }],
    ['attack 69: no feed', 'G21 G90 G94 G17\nG0 X0 Y0 Z5\nG1 X5\nM2', 'gcode-feed-unset', { line: 3, text: 'G1 X5' }],
  ])('%s', (_name, program, reason, detail) => {
    expect(check(program)).toMatchObject({ ok: false, reason, detail })
  })

  it.each([
    ['more time than the machine has', `${setUp}G4 P20000\nM2`, {}, asked, { parameter: 'time' }],
    ['more travel', `${setUp}G1 X60\nM2`, { limits: { travel: { max: '1', unit: 'cm' } } }, asked, { parameter: 'travel' }],
    ['a laser whose power nobody limits', engraving, engraver, power, { parameter: 'power', limitOf: 'machine' }],
    [
      'more energy',
      engraving,
      { ...engraver, limits: { power: { max: '20', unit: 'W' }, energy: { max: '70', unit: 'J' } } },
      power,
      { parameter: 'energy' },
    ],
    ['heat that nobody limits', 'M104 S200\n', printer, asked, { parameter: 'hotend' }],
    [
      'more heat',
      'M140 S80\n',
      { ...printer, limits: { bed: { max: '70', unit: 'Cel' } } },
      asked,
      { parameter: 'bed', nearest: { value: '70', unit: 'Cel' } },
    ],
  ] as const)('%s', (_name, program, change, quantities, detail) => {
    expect(check(program, change, quantities)).toMatchObject({ ok: false, reason: 'program-outside-machine', detail })
  })

  it('a laser’s power beyond what the command says of it', () => {
    const limits = { power: { max: '40', unit: 'W' }, energy: { max: '1', unit: 'kJ' } }
    expect(check(engraving, { ...engraver, limits }, asked)).toMatchObject({
      reason: 'program-outside-command',
      detail: { parameter: 'power' },
    })
    const weaker = { ...asked, power: { value: '19.9', unit: 'W' } }
    expect(check(engraving, { ...engraver, limits }, weaker)).toMatchObject({ detail: { asked: { value: '20', unit: 'W' } } })
  })

  it.each([
    ['an axis without what it can do', { machine: { ...profile.machine, motion: {} } }],
    ['an axis with one end', { axes: { ...profile.axes, x: { max: '5', unit: 'mm' } } }],
    ['an axis in another dimension', { axes: { ...profile.axes, x: { min: '0', max: '5', unit: 'W' } } }],
  ])('a profile that is not whole: %s', (_name, change) => {
    expect(check(`${setUp}M2`, change as Partial<ProgramProfile>)).toMatchObject({ ok: false, reason: 'profile-malformed' })
  })

  it('a profile has no members that nobody reads', () => {
    const schema = deviceEntrySchema.shape.capabilities
    const withMember = { x: { ...milling, program: { ...profile, machine: { ...profile.machine, override: true } } } }
    expect(schema.safeParse({ x: milling }).success).toBe(true)
    expect(schema.safeParse(withMember).success).toBe(false)
  })
})
