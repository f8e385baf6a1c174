import { accepted, type Refused, type Result, refused } from '@interlock/contracts'
import { arcExtents, centreOf, type Point } from './arc.ts'
import { type BlockReason, readBlock, type Word } from './read-block.ts'

export type Extent = { readonly min: number; readonly max: number }
/** What a program would do: the box it stays in, its greatest feed and spindle speed, and how long it cuts. */
export type Envelope = {
  /** Millimetres, in the coordinates of the first work offset (G54). Only axes that move. */
  readonly axes: Readonly<Record<string, Extent>>
  /** mm/min; 0 where nothing is cut. */
  readonly feedMax: number
  /** Turns a minute; 0 where the spindle never turns. */
  readonly spindleMax: number
  /** Time of the cutting moves and dwells; rapids are not in it. */
  readonly seconds: number
  readonly lines: number
}

export type ProgramReason =
  | BlockReason
  | 'program-too-large'
  | 'program-not-ascii'
  | 'program-without-end'
  | 'code-forbidden'
  | 'word-repeated'
  | 'word-out-of-place'
  | 'modal-conflict'
  | 'units-unset'
  | 'distance-unset'
  | 'plane-unset'
  | 'motion-unset'
  | 'feed-unset'
  | 'spindle-unset'
  | 'position-unknown'
  | 'arc-malformed'

const bytesMax = 524_288
const linesMax = 100_000

/** G codes that are understood, by modal group (RS274/NGC table 4). All others are refused: what is not understood cannot be bounded. */
const groups: Readonly<Record<string, string>> = {
  G0: 'motion',
  G1: 'motion',
  G2: 'motion',
  G3: 'motion',
  G80: 'motion',
  G4: 'dwell',
  G17: 'plane',
  G18: 'plane',
  G19: 'plane',
  G20: 'units',
  G21: 'units',
  G90: 'distance',
  G91: 'distance',
  'G91.1': 'arc-distance',
  G94: 'feed-mode',
  G40: 'cutter',
  G49: 'tool-length',
  G54: 'work-offset',
  G61: 'path',
  G64: 'path',
  M2: 'end',
  M30: 'end',
  M3: 'spindle',
  M4: 'spindle',
  M5: 'spindle',
  M7: 'coolant-mist',
  M8: 'coolant',
  M9: 'coolant',
}

type Axis = 'X' | 'Y' | 'Z'
const axisNames: readonly Axis[] = ['X', 'Y', 'Z']
const planes: Readonly<Record<string, { readonly axes: readonly [Axis, Axis]; readonly centre: readonly [string, string] }>> = {
  G17: { axes: ['X', 'Y'], centre: ['I', 'J'] },
  G18: { axes: ['Z', 'X'], centre: ['K', 'I'] },
  G19: { axes: ['Y', 'Z'], centre: ['J', 'K'] },
}

type Machine = {
  readonly modes: Map<string, string>
  /** Millimetres; an axis is unknown until it is moved to a place. */
  readonly position: Map<Axis, number>
  readonly extents: Map<Axis, { min: number; max: number }>
  feed: number
  spindle: number
  feedMax: number
  spindleMax: number
  seconds: number
}

type Fault = Refused<ProgramReason> | undefined

/**
 * Interprets a G-code program to the envelope it stays in: the simulated path counts, not the text (ATTACKS 66 to 69). Nothing is assumed of the machine's
 * state before it: units, distance mode, plane and position must be set by the program itself. A refusal names the line.
 */
export function programEnvelope(program: Uint8Array): Result<Envelope, ProgramReason> {
  if (program.length > bytesMax) return refused('program-too-large', { bytes: program.length, max: bytesMax })
  if (program.some((byte) => byte > 126 || (byte < 32 && byte !== 9 && byte !== 10 && byte !== 13)))
    return refused('program-not-ascii')
  const lines = Buffer.from(program).toString('latin1').split('\n')
  if (lines.length > linesMax) return refused('program-too-large', { lines: lines.length, max: linesMax })
  const machine: Machine = {
    modes: new Map(),
    position: new Map(),
    extents: new Map(),
    feed: 0,
    spindle: 0,
    feedMax: 0,
    spindleMax: 0,
    seconds: 0,
  }
  for (const [index, line] of lines.entries()) {
    const fault = runLine(machine, line)
    if (fault) return refused(fault.reason, { ...fault.detail, line: index + 1, text: line.trim().slice(0, 80) })
    // A controller ends here too; what follows is never run.
    if (machine.modes.has('end')) return accepted(envelopeOf(machine, index + 1))
  }
  return refused('program-without-end', { wanted: 'M2 or M30' })
}

function runLine(machine: Machine, line: string): Fault {
  // A percent sign alone marks where a tape begins and ends.
  if (line.trim() === '%') return undefined
  const block = readBlock(line)
  if (!block.ok) return block
  const words = new Map<string, number>()
  const codes = new Map<string, string>()
  for (const word of block.value) {
    const fault = enter(word, words, codes)
    if (fault) return fault
  }
  return runBlock(machine, words, codes)
}

function enter({ letter, value }: Word, words: Map<string, number>, codes: Map<string, string>): Fault {
  if (letter !== 'G' && letter !== 'M') {
    if (words.has(letter)) return refused('word-repeated', { word: letter })
    words.set(letter, value)
    return undefined
  }
  const code = `${letter}${value}`
  const group = Object.hasOwn(groups, code) ? groups[code] : undefined
  if (!group) return refused('code-forbidden', { code })
  if (codes.has(group)) return refused('modal-conflict', { codes: [codes.get(group), code] })
  codes.set(group, code)
  return undefined
}

/** Order of execution within a block: RS274/NGC table 8. */
function runBlock(machine: Machine, words: Map<string, number>, codes: Map<string, string>): Fault {
  if (codes.has('units')) machine.modes.set('units', codes.get('units') as string)
  const scale = machine.modes.get('units') === 'G20' ? 25.4 : 1
  const fault = setFeedAndSpindle(machine, words, codes, scale)
  if (fault) return fault
  for (const [group, code] of codes) if (group !== 'dwell') machine.modes.set(group, code)
  if (machine.modes.get('motion') === 'G80') machine.modes.delete('motion')

  const moves = axisNames.some((axis) => words.has(axis))
  if (codes.has('dwell')) {
    const seconds = words.get('P')
    if (moves || seconds === undefined || seconds < 0) return refused('word-out-of-place', { code: 'G4' })
    machine.seconds += seconds
    return undefined
  }
  if (words.has('P') && codes.get('path') !== 'G64') return refused('word-out-of-place', { word: 'P' })
  if (words.has('T')) return refused('code-forbidden', { code: 'T' })
  const motion = machine.modes.get('motion')
  const isArc = motion === 'G2' || motion === 'G3'
  const offsets = ['I', 'J', 'K', 'R'].filter((letter) => words.has(letter))
  if (!moves && !(isArc && offsets.length > 0)) {
    return offsets.length > 0 ? refused('word-out-of-place', { word: offsets[0] as string }) : undefined
  }
  return isArc ? arc(machine, words, scale, motion === 'G2') : straight(machine, words, scale, motion, offsets)
}

function setFeedAndSpindle(machine: Machine, words: Map<string, number>, codes: Map<string, string>, scale: number): Fault {
  const feed = words.get('F')
  if (feed !== undefined) {
    if (!machine.modes.has('units')) return refused('units-unset', { wanted: 'G20 or G21' })
    if (feed <= 0) return refused('feed-unset', { feed })
    machine.feed = feed * scale
  }
  const speed = words.get('S')
  if (speed !== undefined) {
    if (speed < 0) return refused('spindle-unset', { speed })
    machine.spindle = speed
  }
  const command = codes.get('spindle') ?? machine.modes.get('spindle')
  if (command === undefined || command === 'M5') return undefined
  if (machine.spindle <= 0) return refused('spindle-unset', { code: command })
  machine.spindleMax = Math.max(machine.spindleMax, machine.spindle)
  return undefined
}

function straight(
  machine: Machine,
  words: Map<string, number>,
  scale: number,
  motion: string | undefined,
  offsets: readonly string[],
): Fault {
  if (motion === undefined) return refused('motion-unset', { wanted: 'G0, G1, G2 or G3' })
  if (offsets.length > 0) return refused('word-out-of-place', { word: offsets[0] as string })
  const target = targetOf(machine, words, scale)
  if (!target.ok) return target
  if (motion === 'G1') {
    const fault = cut(machine, lengthTo(machine, target.value))
    if (fault) return fault
  }
  for (const [axis, place] of target.value) moveTo(machine, axis, place)
  return undefined
}

function arc(machine: Machine, words: Map<string, number>, scale: number, isClockwise: boolean): Fault {
  const plane = planes[machine.modes.get('plane') ?? '']
  if (!plane) return refused('plane-unset', { wanted: 'G17, G18 or G19' })
  const target = targetOf(machine, words, scale)
  if (!target.ok) return target
  const [first, second] = plane.axes
  const [startFirst, startSecond] = [machine.position.get(first), machine.position.get(second)]
  if (startFirst === undefined || startSecond === undefined) return refused('position-unknown', { axes: plane.axes })
  const start: Point = [startFirst, startSecond]
  const end: Point = [target.value.get(first) ?? startFirst, target.value.get(second) ?? startSecond]
  const centre = centreWords(words, plane.centre, scale, start, end, isClockwise)
  const extents = centre && arcExtents({ start, end, centre, isClockwise })
  if (!extents) return refused('arc-malformed')
  const climb = axisNames.find((axis) => axis !== first && axis !== second) as Axis
  const rise = Math.abs((target.value.get(climb) ?? 0) - (machine.position.get(climb) ?? target.value.get(climb) ?? 0))
  const fault = cut(machine, Math.hypot(extents.length, rise))
  if (fault) return fault
  for (const [axis, at] of [
    [first, 0],
    [second, 1],
  ] as const) {
    extend(machine, axis, extents.min[at] as number)
    extend(machine, axis, extents.max[at] as number)
  }
  for (const [axis, place] of target.value) moveTo(machine, axis, place)
  return undefined
}

function centreWords(
  words: Map<string, number>,
  names: readonly [string, string],
  scale: number,
  start: Point,
  end: Point,
  isClockwise: boolean,
): Point | undefined {
  const radius = words.get('R')
  const others = ['I', 'J', 'K'].filter((letter) => words.has(letter))
  if (radius !== undefined) return others.length > 0 ? undefined : centreOf(start, end, radius * scale, isClockwise)
  if (others.length === 0 || others.some((letter) => !names.includes(letter))) return undefined
  return [start[0] + (words.get(names[0]) ?? 0) * scale, start[1] + (words.get(names[1]) ?? 0) * scale]
}

function targetOf(machine: Machine, words: Map<string, number>, scale: number): Result<Map<Axis, number>, ProgramReason> {
  const mode = machine.modes.get('distance')
  if (!machine.modes.has('units')) return refused('units-unset', { wanted: 'G20 or G21' })
  if (mode === undefined) return refused('distance-unset', { wanted: 'G90 or G91' })
  const target = new Map<Axis, number>()
  for (const axis of axisNames) {
    const value = words.get(axis)
    if (value === undefined) continue
    const from = mode === 'G90' ? 0 : machine.position.get(axis)
    if (from === undefined) return refused('position-unknown', { axis })
    target.set(axis, from + value * scale)
  }
  return accepted(target)
}

function cut(machine: Machine, lengthMm: number): Fault {
  if (machine.feed <= 0) return refused('feed-unset')
  machine.feedMax = Math.max(machine.feedMax, machine.feed)
  machine.seconds += (lengthMm / machine.feed) * 60
  return undefined
}

const lengthTo = (machine: Machine, target: ReadonlyMap<Axis, number>) =>
  Math.hypot(...[...target].map(([axis, place]) => place - (machine.position.get(axis) ?? place)))

function moveTo(machine: Machine, axis: Axis, place: number): void {
  machine.position.set(axis, place)
  extend(machine, axis, place)
}

function extend(machine: Machine, axis: Axis, place: number): void {
  const extent = machine.extents.get(axis)
  machine.extents.set(axis, { min: Math.min(extent?.min ?? place, place), max: Math.max(extent?.max ?? place, place) })
}

/** Micrometres, rounded outwards: doubles must not make the box smaller than the path. */
const outwards = ({ min, max }: Extent): Extent => ({
  min: Math.floor(min * 1000 - 1e-6) / 1000,
  max: Math.ceil(max * 1000 + 1e-6) / 1000,
})

function envelopeOf(machine: Machine, lines: number): Envelope {
  const axes = [...machine.extents].map(([axis, extent]) => [axis.toLowerCase(), outwards(extent)] as const)
  const { feedMax, spindleMax, seconds } = machine
  return { axes: Object.fromEntries(axes), feedMax, spindleMax, seconds, lines }
}
