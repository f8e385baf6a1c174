import type { MachineSetup } from '@interlock/bounds'
import { linuxcncMachine } from './linuxcnc-machine.ts'

const { workOffsets: _unknown, ...base } = linuxcncMachine
const onlyXyz = Object.fromEntries(Object.entries(base.axes).filter(([axis]) => 'xyz'.includes(axis)))

export const fuzzMachines: readonly MachineSetup[] = [
  {
    ...base,
    workOffsets: { 1: { x: 0, y: 0, z: 0 }, 2: { x: 12, y: -7, z: 3, rotation: 33 } },
    tools: { 1: { offsets: { z: 20, x: 1 }, diameterMm: 5 } },
    home: { x: -30, y: -20, z: 50 },
  },
  {
    ...base,
    dialect: 'grbl',
    startUp: 'G17 G21 G54 G92.1 G49 G94',
    workOffsets: { 1: {}, 2: { x: 5 } },
    laser: { sMax: 1000, powerMaxW: 40 },
  },
  {
    ...base,
    dialect: 'marlin',
    startUp: 'G21',
    axes: { ...onlyXyz, e: { min: -1e5, max: 1e5, ratePerMin: 3000, accelerationPerS2: 1000 } },
    workOffsets: { 1: {} },
    home: { x: 0, y: 0, z: 0 },
  },
]
