import { grblG, grblM } from '../codes.ts'
import { execute } from '../execute.ts'
import { type Dialect, roundoffOf } from './dialect.ts'

/** GRBL 1.1: RS274/NGC without parameters, flow and cycles, in single precision. `$` commands change the machine and are refused as characters. */
export const grbl: Dialect = {
  reading: {
    name: 'grbl',
    hasBracketComments: true,
    hasExpressions: false,
    hasLowerCase: true,
    isOneCommandALine: false,
    realTimeBytes: '!?~',
    textCommands: new Set(),
    roundoff: roundoffOf.float,
  },
  endsExplicitly: false,
  run: (machine) => execute(machine, grblG, grblM),
}
