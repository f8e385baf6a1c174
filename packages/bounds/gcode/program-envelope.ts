import { accepted, type Result, refused } from '@interlock/contracts'
import { outwards, upwards } from './accumulator.ts'
import { type AxisName, axisCount, axisNames, E } from './axes.ts'
import type { Dialect } from './dialects/dialect.ts'
import { grbl } from './dialects/grbl.ts'
import { marlin } from './dialects/marlin.ts'
import { rs274 } from './dialects/rs274.ts'
import { limits } from './limits-of-work.ts'
import { Machine } from './machine.ts'
import type { MachineSetup } from './machine-setup.ts'
import type { Observer } from './motion.ts'
import { type ProgramReason, Refusal, refuse } from './refusal.ts'

export type Extent = { readonly min: number; readonly max: number }

/** What a program would do: every number is the most that it may come to. */
export type Envelope = {
  /** Machine coordinates, millimetres or degrees; e is the filament's. Only axes that move. */
  readonly axes: Readonly<Partial<Record<AxisName, Extent>>>
  /** mm/min, or degrees a minute where only rotary axes move; 0 where nothing is fed. */
  readonly feedMax: number
  /** Turns a minute; 0 where the spindle never turns. */
  readonly spindleMax: number
  /** Of a laser. */
  readonly powerMaxW: number
  readonly energyJ: number
  /** Along linear axes, feeds and rapids. */
  readonly travelMm: number
  /** About rotary axes. */
  readonly turnDegrees: number
  /** Filament pushed forward. */
  readonly materialMm: number
  /** Degrees Celsius; 0 where nothing is heated. */
  readonly temperatures: { readonly hotend: number; readonly bed: number; readonly chamber: number }
  /** Moves from standstill to standstill, and dwells. Waits are not in it. */
  readonly seconds: number
  /** Times it waits for a human, a temperature, an input, a tool, homing or an adaptive feed: for as long as these take. */
  readonly waits: number
  readonly tools: readonly number[]
  /** What it changes for the programs after it: their coordinates would mean something else. */
  readonly leaves: readonly string[]
  readonly motions: number
  /** Blocks run, loops as often as they go round. */
  readonly steps: number
}

const dialects: Readonly<Record<MachineSetup['dialect'], Dialect>> = { rs274, grbl, marlin }

export type RunOptions = {
  /** Called for each motion as it is run. */
  readonly observe?: Observer
  /** Blocks that may be run, at most; `limits.stepsMax` unless given. */
  readonly stepsMax?: number
}

/**
 * Runs a G-code program to the envelope it stays in: the simulated path counts, not the text (ATTACKS 66 to 69). What the program does not say must be
 * in the setup, or it is refused. Pure. A refusal names the line, its text, and what is wrong with it.
 */
export function programEnvelope(
  program: Uint8Array,
  setup: MachineSetup,
  { observe, stepsMax = limits.stepsMax }: RunOptions = {},
): Result<Envelope, ProgramReason> {
  if (program.length > limits.bytesMax) return refused('program-too-large', { bytes: program.length, max: limits.bytesMax })
  const machine = new Machine(setup, dialects[setup.dialect], Buffer.from(setup.startUp ?? '', 'latin1'), observe)
  machine.sum.stepsMax = stepsMax
  const startUp = attempt(machine, () => runLines(machine))
  if (startUp) return refused(startUp.reason, { ...startUp.detail, in: 'the start-up' })
  const before = kept(machine)
  machine.load(program)
  const fault = attempt(machine, () => {
    runLines(machine)
    if (!machine.hasEnded && machine.dialect.endsExplicitly) refuse('program-without-end', { wanted: 'M2, M30 or a second %' })
    if (!machine.hasEnded && machine.state.modes.spindleState !== 50 && machine.motion.cost.laserPowerW() > 0)
      refuse('laser-left-on', { wanted: 'M5' })
  })
  if (fault) return fault
  const after = kept(machine)
  return accepted(
    envelopeOf(
      machine,
      Object.keys(after).filter((what) => before[what] !== after[what] && after[what] !== ''),
    ),
  )
}

function attempt(machine: Machine, run: () => void) {
  try {
    run()
    return undefined
  } catch (error) {
    if (!(error instanceof Refusal)) throw error
    const { reader } = machine
    return refused(error.reason, { ...error.detail, line: reader.line, text: reader.text })
  }
}

function runLines(machine: Machine): void {
  const { reader, block, dialect, sum } = machine
  const { cursor } = reader
  let isTape = false
  let hasBegun = false
  while (!cursor.isAtEnd && !machine.hasEnded) {
    sum.step(1)
    reader.read(block)
    if (block.isPercent) {
      // GRBL passes it over. For LinuxCNC the first is where a tape begins, if nothing came before, and the next where it ends: what follows is never run.
      if (!dialect.endsExplicitly) continue
      if (isTape) machine.hasEnded = true
      else if (hasBegun) refuse('character-unsupported', { character: '%' })
      isTape = true
      continue
    }
    if (block.oName !== undefined) machine.flow.run(block.oName)
    else dialect.run(machine)
    hasBegun ||= block.oName !== undefined || block.present !== 0 || block.gCount + block.mCount > 0
  }
}

/** What lasts beyond the program, as text by name. A program that leaves it otherwise moves the ones after it. */
function kept({ state }: Machine): Record<string, string> {
  const offsets = state.origins.map((origin, number) => [`work offset ${number}`, `${[...origin]} ${state.rotations[number]}`])
  const tools = [...state.tools].map(([number, tool]) => [`tool ${number}`, JSON.stringify(tool)])
  const shown = (numbers: Float64Array) => (numbers.subarray(0, E).every((one) => one === 0) ? '' : `${numbers.subarray(0, E)}`)
  return Object.fromEntries([...offsets, ...tools, ['G92', shown(state.shift)], ['tool length', shown(state.toolOffset)]])
}

function envelopeOf({ sum }: Machine, leaves: readonly string[]): Envelope {
  const axes: Partial<Record<AxisName, Extent>> = {}
  for (let axis = 0; axis < axisCount; axis += 1) {
    const [min, max] = [sum.min[axis] as number, sum.max[axis] as number]
    if (min <= max) axes[axisNames[axis] as AxisName] = outwards(min, max)
  }
  const up = (value: number) => upwards(value, sum.steps)
  return {
    axes,
    feedMax: sum.feedMax,
    spindleMax: sum.spindleMax,
    powerMaxW: sum.powerMaxW,
    energyJ: up(sum.energyJ),
    travelMm: up(sum.travelMm),
    turnDegrees: up(sum.turnDegrees),
    materialMm: up(sum.materialMm),
    temperatures: { ...sum.temperatures },
    seconds: up(sum.seconds),
    waits: sum.waits,
    tools: [...sum.tools].sort((one, other) => one - other),
    leaves,
    motions: sum.motions,
    steps: sum.steps,
  }
}
