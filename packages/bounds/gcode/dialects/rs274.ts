import { rs274G, rs274M } from '../codes.ts'
import { execute } from '../execute.ts'
import { type Dialect, roundoffOf } from './dialect.ts'

/** RS274/NGC as LinuxCNC runs it. */
export const rs274: Dialect = {
  reading: {
    name: 'rs274',
    hasBracketComments: true,
    hasExpressions: true,
    hasLowerCase: true,
    isOneCommandALine: false,
    realTimeBytes: '',
    textCommands: new Set(),
    roundoff: roundoffOf.double,
  },
  endsExplicitly: true,
  run: (machine) => execute(machine, rs274G, rs274M),
}
