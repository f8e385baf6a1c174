import { existsSync, readdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import type { AxisName, MachineSetup } from '@interlock/bounds'

const axes: readonly AxisName[] = ['x', 'y', 'z', 'a', 'b', 'c', 'u', 'v', 'w']
const zero = Object.fromEntries(axes.map((axis) => [axis, 0]))
const able = { min: -10_000, max: 10_000, ratePerMin: 10_000, accelerationPerS2: 500 }

/** Tools of the table, all alike. */
export const toolNumbers = Array.from({ length: 99 }, (_, index) => index + 1)
export const toolDiameterMm = 6

/** LinuxCNC's own interpreter on the command line (`rs274`) when it starts: at the origin, all offsets nothing, in millimetres. */
export const linuxcncMachine: MachineSetup = {
  dialect: 'rs274',
  axes: Object.fromEntries(axes.map((axis) => [axis, able])),
  start: zero,
  startUp: 'G17 G21 G40 G49 G54 G64 G80 G90 G91.1 G92.1 G94 G97 G98 G8',
  workOffsets: Object.fromEntries([1, 2, 3, 4, 5, 6, 7, 8, 9].map((number) => [number, zero])),
  tools: Object.fromEntries(toolNumbers.map((number) => [number, { offsets: {}, diameterMm: toolDiameterMm }])),
  toolChange: {},
  home: zero,
  secondHome: zero,
  spindleMaxPerMin: 6000,
  blockDelete: 'run',
  areOutputsHarmless: true,
}

/** Programs that others wrote, by path below the folder; undefined where they are not there. */
export function linuxcncPrograms(vectors: string): { readonly folder: string; readonly files: readonly string[] } | undefined {
  const folder = [join(vectors, 'gcode'), resolve(vectors, '..', 'data', 'gcode')].find((path) => existsSync(path))
  if (!folder) return undefined
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => /\.(ngc|nc|gcode|tap)$/.test(name))
  return { folder, files: files.sort() }
}
