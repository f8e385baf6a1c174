import { axisArray, axisBits, axisCount, bit, letter, letterOfAxis } from '../axes.ts'
import { codeName } from '../block.ts'
import { limits } from '../limits-of-work.ts'
import type { Machine } from '../machine.ts'
import { goHome, runOffset } from '../offsets.ts'
import { refuse } from '../refusal.ts'
import { goToToolChange } from '../tool-change.ts'
import { type Dialect, roundoffOf } from './dialect.ts'
import { marlinM } from './marlin-m.ts'

const [letterF, letterP, letterS, letterT] = ['F', 'P', 'S', 'T'].map(letter) as [number, number, number, number]

/** Words that each G code may have. */
const words: ReadonlyMap<number, number> = new Map([
  [0, axisBits | bit('FS')],
  [10, axisBits | bit('FS')],
  [20, axisBits | bit('FIJRP')],
  [30, axisBits | bit('FIJRP')],
  [40, bit('PS')],
  [170, 0],
  [180, 0],
  [190, 0],
  [200, 0],
  [210, 0],
  [280, axisBits],
  [900, 0],
  [910, 0],
  [920, axisBits],
])

/** Marlin 2: one command a line. A mesh is probed, not bounded, and settings of the machine are not the program's (G29, M92, M500 …). */
export const marlin: Dialect = {
  reading: {
    name: 'marlin',
    hasBracketComments: false,
    hasExpressions: false,
    hasLowerCase: false,
    isOneCommandALine: true,
    realTimeBytes: '',
    textCommands: new Set([117, 118]),
    roundoff: roundoffOf.float,
  },
  endsExplicitly: false,
  run,
}

function run(machine: Machine) {
  const { block, setup } = machine
  const commands = block.gCount + block.mCount
  if (commands > 1) refuse('modal-conflict', { wanted: 'one command a line' })
  if (commands === 0) {
    if (block.present === bit('T')) return selectTool(machine)
    // GCODE_MOTION_MODES is a choice of whoever built the firmware.
    return block.present === 0 ? undefined : refuse('motion-unset', { wanted: 'G0 or G1' })
  }
  const isG = block.gCount === 1
  const code = (isG ? block.gCodes[0] : block.mCodes[0]) as number
  const name = codeName(isG ? 'G' : 'M', code)
  if (setup.forbidden?.includes(name)) refuse('code-forbidden', { code: name, limitOf: 'machine' })
  if (!isG) return marlinM(machine, code)
  const allowed = words.get(code) ?? refuse('code-forbidden', { code: name })
  if ((block.present & ~allowed) !== 0) refuse('word-out-of-place', { code: name })
  if (block.flags !== 0 && code !== 280) refuse('number-malformed', { code: name })
  runG(machine, code)
}

function runG(machine: Machine, code: number) {
  const { block, state, motion } = machine
  const { modes } = state
  switch (code) {
    case 0:
    case 10:
    case 20:
    case 30:
      return move(machine, code)
    case 40:
      return motion.dwell((block.value(letterS) ?? 0) + (block.value(letterP) ?? 0) / 1000)
    case 280:
      return home(machine)
    case 920:
      return runOffset(machine, 920)
    case 900:
    case 910:
      // Both take the extruder along, until M82 or M83.
      modes.distance = code
      modes.extruder = -1
      return
    case 200:
    case 210:
      modes.units = code
      return
    default:
      modes.plane = code
  }
}

/** G0 is G1 here: both keep to F, which stands until another comes. */
function move(machine: Machine, code: number) {
  const { block, state, motion } = machine
  const { modes } = state
  const feed = block.value(letterF)
  if (feed !== undefined) {
    if (!(feed > 0)) refuse('feed-unset', { feed })
    if (modes.units < 0) refuse('mode-unset', { wanted: 'G20 or G21' })
    modes.feedLow = feed * state.scale
    modes.feedHigh = feed * state.scale
  }
  modes.feedMode = 940
  if (block.has(letterS)) refuse('word-out-of-place', { word: 'S' })
  motion.target.aim(block, false)
  if (code >= 20) return motion.arc(withTurns(machine), code === 20)
  if (block.movesAxes) motion.straight(code === 0)
}

/** Marlin's P of an arc is how many full circles come before it, not how often it comes to its end. */
function withTurns({ block }: Machine) {
  if (block.has(letterP)) block.values[letterP] = (block.values[letterP] as number) + 1
  return block
}

/** Homing finds the axes and forgets G92. `G28 X` names axes without numbers; older slicers write `G28 X0 Y0`, and other numbers are refused. */
function home(machine: Machine): void {
  const { block, setup, state } = machine
  for (let axis = 0; axis < axisCount; axis += 1) {
    if ((block.value(letterOfAxis[axis] as number) ?? 0) !== 0) refuse('word-out-of-place', { code: 'G28' })
  }
  // It goes at its own speeds, the slowest of which only the machine's builder knows: a wait, as is every stop.
  machine.sum.waits += 1
  const feed = [state.modes.feedLow, state.modes.feedHigh, state.modes.feedMode]
  ;[state.modes.feedLow, state.modes.feedHigh, state.modes.feedMode] = [limits.valueMax, 0, 940]
  const axes = goHome(machine, setup.home, 'G28', block.present)
  ;[state.modes.feedLow, state.modes.feedHigh, state.modes.feedMode] = feed as [number, number, number]
  for (let axis = 0; axis < axisCount; axis += 1) if ((axes & (1 << axis)) !== 0) state.shift[axis] = 0
  state.offsetsChanged()
}

function selectTool(machine: Machine): void {
  const tool = machine.block.wanted(letterT)
  if (!Number.isInteger(tool) || tool < 0) refuse('tool-unknown', { tool })
  const { state, setup } = machine
  machine.sum.useTool(tool)
  // A machine without a table of tools has one extruder.
  if (setup.tools === undefined && tool === 0) return
  const { offsets } = state.tools.get(tool) ?? refuse('tool-unknown', { tool })
  goToToolChange(machine)
  state.tool = tool
  // The other nozzle hangs elsewhere (M218): the carriage goes there by itself.
  state.toolOffset.set(axisArray(offsets, 0))
  state.offsetsChanged()
}
