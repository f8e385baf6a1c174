import { axisBits, bit, letter, letterName } from './axes.ts'
import { type Block, codeName } from './block.ts'
import { type CodeTable, groupCount, groups } from './codes.ts'
import { compensate, setToolLength } from './compensation.ts'
import { runCycle } from './cycles.ts'
import type { Machine } from './machine.ts'
import { runModal, setModes } from './modes.ts'
import { runOffset } from './offsets.ts'
import { refuse } from './refusal.ts'
import { setFeedAndSpindle } from './speeds.ts'
import { runSpline } from './splines.ts'
import { stopOrEnd } from './stops.ts'
import { changeTool } from './tool-change.ts'

const always = bit('FST')
const [letterP, letterK] = [letter('P'), letter('K')]
/** Codes of the group without modes that take the axis words for themselves. */
const takesAxes = new Set([100, 280, 300, 520, 920])

/** Codes of the block by group, times ten; -1 for none. Filled again for each block. */
export type Codes = Int16Array
const codes: Codes = new Int16Array(groupCount)

/** Runs a block in the order of RS274/NGC table 8. */
export function execute(machine: Machine, gTable: CodeTable, mTable: CodeTable): void {
  const { block, state, motion } = machine
  const hasCodes = block.gCount + block.mCount > 0
  let allowed = always
  if (hasCodes) {
    codes.fill(-1)
    for (let at = 0; at < block.gCount; at += 1) allowed |= enter(machine, gTable, 'G', block.gCodes[at] as number)
    for (let at = 0; at < block.mCount; at += 1) allowed |= enter(machine, mTable, 'M', block.mCodes[at] as number)
    if ((codes[groups.toolLength] === 431 || codes[groups.toolLength] === 432) && takesAxes.has(codes[groups.nonModal] as number))
      refuse('modal-conflict', { codes: ['G43.1', 'G10, G28, G30, G52, G92'] })
  }
  const owner = hasCodes ? axisOwner(block) : 'motion'
  const explicit = hasCodes ? (codes[groups.motion] as number) : -1
  const isMoved = owner === 'motion' && (explicit >= 0 ? explicit !== 800 : block.movesAxes)
  const code = explicit >= 0 ? explicit : state.modes.motion
  if (isMoved && explicit < 0) allowed |= gTable.get(code)?.words ?? 0
  const stray = block.present & ~allowed
  if (stray !== 0)
    refuse(motionless(isMoved, code) && (stray & axisBits) !== 0 ? 'motion-unset' : 'word-out-of-place', {
      word: letterName(31 - Math.clz32(stray)),
    })

  setFeedAndSpindle(machine, codes, hasCodes)
  if (hasCodes) {
    changeTool(machine, codes)
    runModal(machine, codes)
    setModes(state, codes)
    compensate(machine, codes)
    setToolLength(machine, codes)
    if (codes[groups.workOffset] !== -1) state.selectWorkOffset(workOffsetOf(codes[groups.workOffset] as number))
    if (codes[groups.nonModal] === 40) motion.dwell(block.wanted(letterP))
    else if (
      takesAxes.has(codes[groups.nonModal] as number) ||
      codes[groups.nonModal] === 921 ||
      codes[groups.nonModal] === 922 ||
      codes[groups.nonModal] === 923
    )
      runOffset(machine, codes[groups.nonModal] as number)
    if (explicit >= 0) state.modes.motion = explicit
    if (explicit === 800) machine.cycle = undefined
  }
  if (isMoved) move(machine, code, hasCodes && codes[groups.nonModal] === 530)
  else if (hasCodes && codes[groups.nonModal] === 530 && block.movesAxes) refuse('motion-unset', { code: 'G53' })
  if (hasCodes) stopOrEnd(machine, codes)
  motion.target.axes = 0
}

function enter({ setup }: Machine, table: CodeTable, kind: 'G' | 'M', code: number): number {
  const known = table.get(code)
  const name = codeName(kind, code)
  if (!known) return refuse('code-forbidden', { code: name })
  if (setup.forbidden?.includes(name)) return refuse('code-forbidden', { code: name, limitOf: 'machine' })
  const other = codes[known.group] as number
  if (other >= 0) return refuse('modal-conflict', { codes: [codeName(kind, other), name] })
  codes[known.group] = code
  return known.words
}

/** Whose the axis words of a block with codes are. @throws Refusal modal-conflict */
function axisOwner(block: Block): 'motion' | 'other' {
  const isTaken =
    takesAxes.has(codes[groups.nonModal] as number) || codes[groups.toolLength] === 431 || codes[groups.toolLength] === 432
  const explicit = codes[groups.motion] as number
  if (!isTaken) {
    const isStraight = explicit === 0 || explicit === 10
    // A dwell comes before the motion of its block; whose P it is must be plain.
    if (codes[groups.nonModal] === 40 && !isStraight && (explicit > 0 || block.movesAxes))
      refuse('word-out-of-place', { code: 'G4' })
    return 'motion'
  }
  // Whether the axis words are the motion's or the other's is not to be guessed.
  if (explicit >= 0 && explicit !== 800)
    refuse('modal-conflict', { codes: [codeName('G', explicit), 'a code that takes axis words'] })
  return 'other'
}

const motionless = (isMoved: boolean, code: number) => !isMoved || code < 0 || code === 800

function move(machine: Machine, code: number, isMachine: boolean): void {
  const { block, motion, state } = machine
  if (code < 0 || code === 800) refuse('motion-unset', { wanted: 'G0, G1, G2 or G3' })
  if (isMachine && code !== 0 && code !== 10) refuse('motion-unset', { wanted: 'G0 or G1', with: 'G53' })
  if (code > 30 && code !== 330) {
    if (code >= 50 && code <= 62) runSpline(machine, code)
    else runCycle(machine, code)
    return
  }
  machine.cycle = undefined
  if (state.modes.feedMode === 930 && code !== 0 && block.movesAxes && !block.has(letter('F')))
    refuse('feed-unset', { mode: 'G93', wanted: 'F in each block' })
  motion.target.aim(block, isMachine)
  if (code === 20 || code === 30) motion.arc(block, code === 20)
  else if (block.movesAxes) {
    if (code === 330) synchronised(machine, block)
    else motion.straight(code === 0)
  }
}

/** G33: the spindle's turns set the feed, so much for each. */
function synchronised({ motion, state }: Machine, block: Block): void {
  const pitch = block.wanted(letterK) * state.scale
  if (!(pitch > 0)) refuse('word-out-of-place', { K: pitch })
  const { modes } = state
  const feed = pitch * motion.cost.spindleTurns()
  state.modes = { ...modes, feedMode: 940, feedLow: feed, feedHigh: feed }
  motion.straight(false)
  state.modes = modes
}

/** 1 for G54 to 9 for G59.3. */
const workOffsetOf = (code: number): number => (code <= 590 ? (code - 530) / 10 : code - 590 + 6)
