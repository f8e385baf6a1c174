import { axisCount, bit, E, letter, letterOfAxis } from '../axes.ts'
import { codeName } from '../block.ts'
import type { Machine } from '../machine.ts'
import { refuse } from '../refusal.ts'
import { pause } from '../stops.ts'

const [letterP, letterR, letterS, letterT] = ['P', 'R', 'S', 'T'].map(letter) as [number, number, number, number]
const allLetters = (1 << 26) - 1

type Command = { readonly words: number; readonly run: (machine: Machine, code: number) => void }
const nothing = () => undefined

/** M codes of Marlin that are understood, by number. All others are refused: what is not understood cannot be bounded. */
const commands: ReadonlyMap<number, Command> = new Map<number, Command>([
  ...each([0, 1], bit('PS'), (machine, code) => pause(machine, codeName('M', code * 10))),
  ...each([3, 4, 5], bit('S'), spindle),
  ...each([17, 31, 73, 75, 76, 77, 105, 106, 107, 110, 114, 115, 117, 118, 119, 155], allLetters, nothing),
  ...each([400], 0, nothing),
  ...each([18, 84], allLetters, release),
  ...each([82, 83], 0, (machine, code) => {
    machine.state.modes.extruder = code * 10
  }),
  ...each([104, 109, 140, 190, 141, 191], bit('SRT'), temperature),
  ...each([201, 203], bit('XYZE'), slower),
  ...each([204], bit('SPRT'), acceleration),
  // Jerk: every move is counted from standstill to standstill.
  ...each([205], allLetters, nothing),
  ...each([220, 221], bit('ST'), perCent),
])

function each(codes: readonly number[], words: number, run: Command['run']): (readonly [number, Command])[] {
  return codes.map((code) => [code, { words, run }] as const)
}

export function marlinM(machine: Machine, code: number) {
  const { block } = machine
  const command = code % 10 === 0 ? commands.get(code / 10) : undefined
  if (!command) return refuse('code-forbidden', { code: codeName('M', code) })
  if ((block.present & ~command.words) !== 0) refuse('word-out-of-place', { code: codeName('M', code) })
  command.run(machine, code / 10)
}

function spindle({ block, state, sum, motion, setup }: Machine, code: number): void {
  const { modes } = state
  modes.spindleState = code * 10
  if (block.has(letterS)) modes.spindle = block.wanted(letterS)
  if (code === 5) return
  if (!(modes.spindle >= 0)) refuse('spindle-unset', { wanted: 'S' })
  if (setup.laser) sum.powerMaxW = Math.max(sum.powerMaxW, motion.cost.laserPowerW())
  else sum.spindleMax = Math.max(sum.spindleMax, modes.spindle)
}

/** S or R is what it is heated to; M109, M190 and M191 wait for it. */
function temperature({ block, sum }: Machine, code: number): void {
  const celsius = block.value(letterS) ?? block.value(letterR) ?? refuse('word-missing', { word: 'S' })
  const part = code === 104 || code === 109 ? 'hotend' : code === 140 || code === 190 ? 'bed' : 'chamber'
  sum.temperatures[part] = Math.max(sum.temperatures[part], celsius)
  if (code === 109 || code === 190 || code === 191) sum.waits += 1
}

/** Without current the axes may be moved by hand. */
function release({ state }: Machine): void {
  state.position.fill(Number.NaN, 0, E)
}

/** M201 and M203 set what axes can do. Less makes a program longer; more than the machine's own is not believed. */
function slower({ block, state }: Machine, code: number): void {
  for (let axis = 0; axis < axisCount; axis += 1) {
    const value = block.value(letterOfAxis[axis] as number)
    if (value === undefined) continue
    if (!(value > 0)) refuse('number-out-of-range', { value })
    const limits = code === 201 ? state.accelerations : state.rates
    limits[axis] = Math.min(limits[axis] as number, value * state.scale * (code === 201 ? 1 : 60))
  }
}

function acceleration({ block, state }: Machine): void {
  for (const word of [letterS, letterP, letterT, letterR]) {
    const value = block.value(word)
    if (value === undefined) continue
    if (!(value > 0)) refuse('number-out-of-range', { value })
    for (let axis = 0; axis < axisCount; axis += 1)
      state.accelerations[axis] = Math.min(state.accelerations[axis] as number, value * state.scale)
  }
}

function perCent({ block, state }: Machine, code: number): void {
  const share = block.wanted(letterS)
  if (!(share > 0)) refuse('number-out-of-range', { value: share })
  if (code === 220) state.feedPerCent = share
  else state.flowPerCent = share
}
