import { axisBits, bit } from './axes.ts'

/** Modal groups (RS274/NGC table 4): a block has one code of each at most. */
export const groups = {
  motion: 1,
  plane: 2,
  distance: 3,
  arcDistance: 4,
  feedMode: 5,
  units: 6,
  compensation: 7,
  toolLength: 8,
  retract: 9,
  workOffset: 10,
  path: 11,
  spindleMode: 12,
  lathe: 13,
  nonModal: 14,
  stop: 15,
  spindle: 16,
  toolChange: 17,
  coolantMist: 18,
  coolant: 19,
  override: 20,
  output: 21,
  modalState: 22,
  subprogram: 23,
} as const
export const groupCount = 24

/** What a code is: its group, and the words that it gives a meaning (a bit per letter). */
export type Code = { readonly group: number; readonly words: number }
export type CodeTable = ReadonlyMap<number, Code>

const arcWords = axisBits | bit('IJKRP')
const drillWords = axisBits | bit('RLPQ')

type Row = readonly [group: number, words: number, codes: readonly number[]]
const table = (rows: readonly Row[]): CodeTable =>
  new Map(rows.flatMap(([group, words, codes]) => codes.map((code) => [code, { group, words }] as const)))

/** G codes of GRBL 1.1, times ten. */
const common: readonly Row[] = [
  [groups.motion, axisBits, [0, 10]],
  [groups.motion, arcWords, [20, 30]],
  [groups.motion, 0, [800]],
  [groups.plane, 0, [170, 180, 190]],
  [groups.distance, 0, [900, 910]],
  [groups.arcDistance, 0, [911]],
  [groups.feedMode, 0, [930, 940]],
  [groups.units, 0, [200, 210]],
  [groups.compensation, 0, [400]],
  [groups.toolLength, axisBits, [431]],
  [groups.toolLength, 0, [490]],
  [groups.workOffset, 0, [540, 550, 560, 570, 580, 590]],
  [groups.path, 0, [610]],
  [groups.nonModal, bit('P'), [40]],
  [groups.nonModal, axisBits | bit('LPR'), [100]],
  [groups.nonModal, axisBits, [280, 300, 530, 920]],
  [groups.nonModal, 0, [921]],
]

export const grblG = table(common)

export const rs274G = table([
  ...common,
  [groups.motion, axisBits | bit('K'), [330]],
  [groups.motion, axisBits | bit('IJPQ'), [50]],
  [groups.motion, axisBits | bit('IJ'), [51]],
  [groups.motion, axisBits | bit('PL'), [52]],
  [groups.motion, axisBits | bit('PKRQ'), [62]],
  [groups.motion, 0, [53]],
  [groups.motion, axisBits | bit('PIJRKQHEL'), [760]],
  [groups.motion, drillWords, [730, 740, 810, 820, 830, 840, 850, 860, 890]],
  [groups.arcDistance, 0, [901]],
  [groups.feedMode, 0, [950]],
  [groups.compensation, bit('D'), [410, 420]],
  [groups.compensation, bit('DL'), [411, 421]],
  [groups.toolLength, bit('H'), [430]],
  [groups.toolLength, axisBits | bit('H'), [432]],
  [groups.retract, 0, [980, 990]],
  [groups.workOffset, 0, [591, 592, 593]],
  [groups.path, 0, [611]],
  [groups.path, bit('PQ'), [640]],
  [groups.spindleMode, bit('D'), [960]],
  [groups.spindleMode, 0, [970]],
  [groups.lathe, 0, [70, 80]],
  [groups.nonModal, axisBits, [520]],
  [groups.nonModal, 0, [922, 923]],
])

const commonM: readonly Row[] = [
  [groups.stop, 0, [0, 20, 300]],
  [groups.spindle, 0, [30, 40, 50]],
  [groups.coolantMist, 0, [70]],
  [groups.coolant, 0, [80, 90]],
]

export const grblM = table(commonM)

export const rs274M = table([
  ...commonM,
  [groups.stop, 0, [10, 600]],
  [groups.toolChange, 0, [60]],
  [groups.toolChange, bit('Q'), [610]],
  [groups.override, bit('P'), [480, 490, 500, 510, 520, 530]],
  [groups.output, bit('P'), [620, 630, 640, 650]],
  [groups.output, bit('PLEQ'), [660]],
  [groups.output, bit('EQ'), [670, 680]],
  [groups.modalState, 0, [700, 710, 720, 730]],
  [groups.subprogram, bit('PL'), [980]],
  [groups.subprogram, bit('P'), [990]],
])
