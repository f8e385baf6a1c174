import fc from 'fast-check'

const number = (max: number) => fc.integer({ min: -max * 1000, max: max * 1000 }).map((value) => (value / 1000).toFixed(4))
const positive = (max: number) => fc.integer({ min: 100, max: max * 1000 }).map((value) => (value / 1000).toFixed(3))
const axes = (letters: string) =>
  fc
    .tuple(
      ...[...letters].map((letter) =>
        fc.option(
          number(80).map((value) => `${letter}${value}`),
          { nil: '' },
        ),
      ),
    )
    .map((words) => words.join(' '))
const line = (...parts: readonly fc.Arbitrary<string>[]) => fc.tuple(...parts).map((words) => words.join(' '))
const one = fc.constantFrom
const word = (letters: string, value: fc.Arbitrary<string>) => value.map((text) => `${letters}${text}`)

/** Straight moves and arcs, which every dialect has. */
const moves = fc.oneof(
  { weight: 6, arbitrary: line(one('G0', 'G1', 'G1'), axes('XYZ')) },
  { weight: 3, arbitrary: line(one('G2', 'G3'), axes('XY'), word('R', positive(90)), one('', 'Z-3')) },
  { weight: 3, arbitrary: line(one('G2', 'G3'), word('I', number(40)), word('J', number(40)), one('', 'Z4')) },
)

const common = fc.oneof(
  { weight: 8, arbitrary: moves },
  line(one('G18 G2', 'G18 G3', 'G19 G2'), word('K', number(20)), one('', 'Y2')),
  one(
    'G17',
    'G90',
    'G91',
    'G20',
    'G21',
    'G54',
    'G55',
    'G91.1',
    'M5',
    'G80',
    'G49',
    'G92.1',
    'G28',
    'G28 Z5',
    'G43.1 Z3',
    'G53 G0 X1 Y2',
    'M3 S900',
    'M4 S20',
    'G4 P0.5',
  ),
  line(one('G10 L2 P1', 'G10 L20 P1', 'G10 L2 P2', 'G92'), axes('XYZ')),
  word('F', positive(3000)),
)

const block = fc.oneof(
  { weight: 12, arbitrary: common },
  { weight: 2, arbitrary: line(one('G0', 'G1', ''), axes('XAC')) },
  line(one('G2', 'G3'), word('I', number(40)), one('P2', 'P3')),
  one('G18', 'G90.1', 'G7', 'G8', 'G94', 'G98', 'G99', 'G40', 'G92.2', 'G92.3', 'T1 M6', 'G43', 'G52 X3'),
  word('G10 L2 P1 R', number(180)),
  line(one('G41.1', 'G42.1'), word('D', positive(9))),
  line(
    one('G81', 'G82', 'G83 Q1.5', 'G73 Q2', 'G85', 'G89'),
    axes('XY'),
    one('Z-4 R1', 'Z-1 R3', 'Z2 R1'),
    one('', 'L2', 'P0.1'),
  ),
  line(one('G5 I1 J9 P-3 Q-8', 'G5.1 I7 J-3'), axes('XY')),
  line(one('#1=', '#2=', '#<a>='), one('[#1 + 1]', '[2 * #2]', '[sin[30] * 7]', '3', '[#5420 - 1]', '[#5421 / 2]')),
  one('G1 X#1', 'G1 Y[#2 * 3]', 'G0 X[#<a> - #1]'),
  one('o1 repeat [3]', 'o1 endrepeat', 'o2 if [#1 gt 2]', 'o2 else', 'o2 endif', 'o3 call [4]', 'M98 P9', 'M70', 'M72', '(text)'),
)

const marlinBlock = fc.oneof(
  { weight: 8, arbitrary: moves },
  line(one('G1'), axes('XYE'), word('F', positive(6000))),
  one(
    'G90',
    'G91',
    'M82',
    'M83',
    'G20',
    'G21',
    'G17',
    'G28',
    'G28 X',
    'G92 E0',
    'M84',
    'G4 P300',
    'T0',
    'M104 S200',
    'M204 S800',
    'M203 X20 Y20',
    'M220 S150',
    'M221 S90',
    'M106 S255',
  ),
  line(one('G92'), axes('XYZ')),
)

const programOf = (begin: readonly string[], blocks: fc.Arbitrary<string>, end: readonly string[]) =>
  fc.array(blocks, { maxLength: 40 }).map((lines) => [...begin, ...lines, ...end].join('\n'))

const subprograms = ['M2', 'o3 sub', 'G1 X#1 Y[#1 * 2]', 'o3 endsub', 'O9', 'G91 G1 X1 G90', 'M99']
/** Programs that mean something, most of the time, by dialect. */
export const meaningful = {
  rs274: programOf(['G21 G90 G94 G17 F500', 'G0 X0 Y0 Z0 A0 C0', '#1=1', '#2=2', '#<a>=3'], block, subprograms),
  grbl: programOf(['G21 G90 G94 G17 F500', 'G0 X0 Y0 Z0'], common, ['M5', 'M2']),
  marlin: programOf(['G21', 'G90', 'G17', 'G28', 'G92 E0', 'G1 F600'], marlinBlock, ['M84']),
} as const

type Change = { readonly at: number; readonly drop: number; readonly put: string }
const change: fc.Arbitrary<Change> = fc.record({
  at: fc.nat(),
  drop: fc.nat(12),
  put: fc.oneof(
    fc.string({ maxLength: 6 }),
    block.map((text) => `\n${text}\n`),
    one('\n', '[', ']', '#', 'o1 ', 'G', '-', '.', '(', ')', '%', '/', '\r', '\0', '1e9', '99999'),
  ),
})

/** A program with pieces taken out and others put in. */
export const mutated = (programs: readonly string[]): fc.Arbitrary<string> =>
  fc
    .tuple(fc.oneof(...Object.values(meaningful), one('', ...programs)), fc.array(change, { minLength: 1, maxLength: 8 }))
    .map(([program, changes]) =>
      changes.reduce((text, { at, drop, put }) => {
        const from = text.length === 0 ? 0 : at % text.length
        return text.slice(0, from) + put + text.slice(from + drop)
      }, program),
    )
