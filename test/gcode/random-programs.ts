import fc from 'fast-check'

const number = (max: number) => fc.double({ min: -max, max, noNaN: true }).map((value) => value.toFixed(4))
const positive = (max: number) => fc.double({ min: 0.1, max, noNaN: true }).map((value) => value.toFixed(3))
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

const block = fc.oneof(
  { weight: 6, arbitrary: line(one('G0', 'G1', 'G1', ''), axes('XYZ')) },
  { weight: 1, arbitrary: line(one('G0', 'G1'), axes('XAC')) },
  {
    weight: 3,
    arbitrary: line(
      one('G2', 'G3'),
      axes('XY'),
      positive(90).map((value) => `R${value}`),
      one('', 'P2', 'Z-3'),
    ),
  },
  {
    weight: 3,
    arbitrary: line(
      one('G2', 'G3'),
      number(40).map((value) => `I${value}`),
      number(40).map((value) => `J${value}`),
      one('', 'Z4', 'P3'),
    ),
  },
  {
    weight: 1,
    arbitrary: line(
      one('G18 G2', 'G18 G3', 'G19 G2'),
      number(20).map((value) => `K${value}`),
      one('', 'Y2'),
    ),
  },
  one(
    'G17',
    'G18',
    'G90',
    'G91',
    'G20',
    'G21',
    'G54',
    'G55',
    'G90.1',
    'G91.1',
    'G7',
    'G8',
    'G94',
    'M5',
    'G80',
    'G98',
    'G99',
    'G40',
    'G49',
  ),
  line(one('G10 L2 P1', 'G10 L20 P1', 'G10 L2 P2', 'G92', 'G52'), axes('XYZ')),
  line(one('G10 L2 P1 R'), number(180)),
  one('G92.1', 'G92.2', 'G92.3', 'G28', 'G28 Z5', 'T1 M6', 'G43', 'G43.1 Z3', 'G53 G0 X1 Y2'),
  line(one('F'), positive(3000)),
  line(one('G41.1 D', 'G42.1 D'), positive(9)),
  line(
    one('G81', 'G82', 'G83 Q1.5', 'G73 Q2', 'G85', 'G89'),
    axes('XY'),
    one('Z-4 R1', 'Z-1 R3', 'Z2 R1'),
    one('', 'L2', 'P0.1'),
  ),
  line(one('G5 I1 J9 P-3 Q-8', 'G5.1 I7 J-3'), axes('XY')),
  line(one('#1=', '#2=', '#<a>='), one('[#1 + 1]', '[2 * #2]', '[sin[30] * 7]', '3', '[#5420 - 1]', '[#5421 / 2]')),
  line(one('G1 X#1', 'G1 Y[#2 * 3]', 'G0 X[#<a> - #1]')),
  one(
    'o1 repeat [3]',
    'o1 endrepeat',
    'o2 if [#1 gt 2]',
    'o2 else',
    'o2 endif',
    'o3 call [4]',
    'M98 P9',
    'G4 P0.5',
    'M3 S900',
    'M70',
    'M72',
    '(text)',
  ),
)

/** Programs that mean something, most of the time. */
export const meaningful = fc
  .tuple(fc.array(block, { maxLength: 40 }), one('rs274'))
  .map(([blocks]) =>
    [
      'G21 G90 G94 G17 F500',
      'G0 X0 Y0 Z0 A0 C0',
      '#1=1',
      '#2=2',
      '#<a>=3',
      ...blocks,
      'M2',
      'o3 sub',
      'G1 X#1 Y[#1 * 2]',
      'o3 endsub',
      'O9',
      'G91 G1 X1 G90',
      'M99',
    ].join('\n'),
  )

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
    .tuple(fc.oneof(meaningful, one('', ...programs)), fc.array(change, { minLength: 1, maxLength: 8 }))
    .map(([program, changes]) =>
      changes.reduce((text, { at, drop, put }) => {
        const from = text.length === 0 ? 0 : at % text.length
        return text.slice(0, from) + put + text.slice(from + drop)
      }, program),
    )
