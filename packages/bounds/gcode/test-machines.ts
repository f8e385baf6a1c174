import type { AxisName } from './axes.ts'
import type { AxisSetup, MachineSetup } from './machine-setup.ts'

const able: AxisSetup = { min: -100_000, max: 100_000, ratePerMin: 60_000, accelerationPerS2: 1e9 }
const having = (...axes: AxisName[]) => Object.fromEntries(axes.map((axis) => [axis, able]))
const origin = { x: 0, y: 0, z: 0 }

/** Machines for tests. They speed up at once, so that times are those of the feed. */
export const mill: MachineSetup = {
  dialect: 'rs274',
  axes: having('x', 'y', 'z'),
  startUp: 'G54 G92.1 G49 G91.1',
  workOffsets: { 1: origin },
}
export const fiveAxes: MachineSetup = {
  ...mill,
  axes: having('x', 'y', 'z', 'a', 'c', 'u'),
  workOffsets: { 1: { ...origin, a: 0, c: 0, u: 0 }, 2: { x: 100, y: 50, z: -10, a: 0, c: 0, u: 0, rotation: 90 } },
  tools: { 1: { offsets: { z: 40 }, diameterMm: 6 } },
  toolChange: { z: 100 },
  home: { x: -50, y: -60, z: 90 },
}
export const laser: MachineSetup = {
  dialect: 'grbl',
  axes: having('x', 'y'),
  startUp: 'G54 G92.1 G49',
  workOffsets: { 1: origin },
  laser: { sMax: 1000, powerMaxW: 80 },
}
export const printer: MachineSetup = {
  dialect: 'marlin',
  axes: having('x', 'y', 'z', 'e'),
  workOffsets: { 1: origin },
  home: origin,
  start: origin,
}
