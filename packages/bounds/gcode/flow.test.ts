import { describe, expect, it } from 'vitest'
import type { MachineSetup } from './machine-setup.ts'
import { programEnvelope } from './program-envelope.ts'
import { mill } from './test-machines.ts'

const setUp = 'G21 G90 G94 G17\nG0 X0 Y0 Z0\nF600\n'
const run = (program: string, options = {}) => programEnvelope(Buffer.from(`${setUp}${program}`), mill as MachineSetup, options)
function reach(program: string): number {
  const ran = run(`${program}\nM2`)
  if (!ran.ok) throw new Error(`${ran.reason} ${JSON.stringify(ran.detail)}`)
  return ran.value.axes.x?.max ?? Number.NaN
}

describe('expressions', () => {
  it.each([
    ['[1 + 2 * 3]', 7],
    ['[2 ** 3 ** 2]', 64],
    ['[10 - 2 - 3]', 5],
    ['[7 mod 4]', 3],
    ['[-7 mod 4]', 1],
    ['[1 lt 2 and 3 gt 2]', 1],
    ['[[1 eq 2] or [2 ne 2]]', 0],
    ['atan[1]/[1]', 45],
    ['[sin[30] * 10]', 5],
    ['[round[2.5] + fix[2.9] + fup[2.1]]', 8],
    ['[abs[-4] + sqrt[9]]', 7],
    ['- -5', 5],
  ])('%s is %d', (expression, value) => {
    expect(reach(`G1 X${expression}`)).toBeCloseTo(value, 2)
  })

  it('take parameters by number, by number of a number, and by name; assignments take effect after their line', () => {
    expect(reach('#1=5\n#2=1\nG1 X##2')).toBe(5)
    expect(reach('#<Depth of Cut>=6\nG1 X#<depthofcut>')).toBe(6)
    expect(reach('#1=5\n#1=9 G1 X#1')).toBe(5)
    expect(reach('#3=[exists[#<no>] + 2]\nG1 X#3')).toBe(2)
    expect(reach('G1 X8\nG1 X[#5420 * 2]')).toBeCloseTo(16, 2)
  })

  it('attack 68: a comparison that controllers may answer differently has no answer', () => {
    expect(run('#1=[0.1+0.1+0.1+0.1+0.1+0.1+0.1+0.1+0.1+0.1]\no1 if [#1 LT 1]\no1 endif\nM2')).toMatchObject({
      reason: 'comparison-undecided',
    })
    expect(run('#1=1.00001\no1 if [#1 EQ 1]\no1 endif\nM2')).toMatchObject({ reason: 'comparison-undecided' })
  })
})

describe('flow', () => {
  it.each([
    ['a subprogram with arguments', 'o<to> sub\nG1 X#1\no<to> endsub\no<to> call [7]', 7],
    ['one that is defined behind', 'o1 call [3]\nG1 X4\nM2\no1 sub\nG1 X[#1 * 10]\no1 endsub', 30],
    ['its own parameters', '#1=2\no1 sub\n#1=50\no1 endsub\no1 call\nG1 X#1', 2],
    ['a value returned', 'o1 sub\no1 return [11]\nG1 X99\no1 endsub\no1 call\nG1 X#<_value>', 11],
    ['recursion that ends', 'o1 sub\nG1 X#1\no2 if [#1 lt 5]\no1 call [#1 + 1]\no2 endif\no1 endsub\no1 call [1]', 5],
    ['if', '#1=2\no1 if [#1 eq 1]\nG1 X1\no1 elseif [#1 eq 2]\nG1 X2\no1 else\nG1 X3\no1 endif', 2],
    ['else', '#1=9\no1 if [#1 eq 1]\nG1 X1\no1 elseif [#1 eq 2]\nG1 X2\no1 else\nG1 X3\no1 endif', 3],
    ['while', '#1=0\no1 while [#1 lt 4]\n#1=[#1+1]\nG1 X#1\no1 endwhile', 4],
    ['do while', '#1=0\no1 do\n#1=[#1+1]\nG1 X#1\no1 while [#1 lt 4]', 4],
    ['repeat', 'G91\no1 repeat [6]\nG1 X2\no1 endrepeat\nG90', 12],
    ['break', '#1=0\no1 while [1]\n#1=[#1+1]\nG1 X#1\no2 if [#1 eq 3]\no1 break\no2 endif\no1 endwhile', 3],
    ['continue', '#1=0\no1 while [#1 lt 4]\n#1=[#1+1]\no2 if [#1 gt 2]\no1 continue\no2 endif\nG1 X#1\no1 endwhile', 2],
    ['M98 and M99, as often as L says', 'G91\nM98 P7 L3\nG90\nM2\nO7\nG1 X5\nM99', 15],
    ['modes put aside and back', 'M70\nG91\nM72\nG1 X5\nG1 X6', 6],
    ['modes back at the end of a subprogram', 'o1 sub\nM73\nG91\no1 endsub\no1 call\nG1 X5\nG1 X6', 6],
  ])('%s', (_name, program, value) => {
    expect(reach(program)).toBeCloseTo(value, 2)
  })

  it.each([
    ['a loop without end', 'o1 while [1]\nG1 X1\nG1 X0\no1 endwhile\nM2', 'program-too-long'],
    ['a loop that repeats too often', 'o1 repeat [100000000]\nG1 X1\no1 endrepeat\nM2', 'program-too-long'],
    ['subprograms that call each other', 'o1 sub\no2 call\no1 endsub\no2 sub\no1 call\no2 endsub\no1 call\nM2', 'call-too-deep'],
    ['M98 that calls itself', 'M98 P1\nM2\nO1\nM98 P1\nM99', 'call-too-deep'],
    ['cycles without end', 'G98 G81 X1 Z-1 R0 L99999\n'.repeat(3), 'program-too-long'],
    ['pecks of nothing', 'G98 G83 X1 Z-1 R0 Q0.0000001\nM2', 'program-too-long'],
    [
      'branches that have to be looked for again and again',
      `o2 while [1]\n${'o1 if [0]\n'.repeat(9_000)}o1 endif\no2 endwhile\nM2`,
      'program-too-long',
    ],
    ['a definition in a subprogram', 'o1 sub\no2 sub\no2 endsub\no1 endsub\no1 call\nM2', 'subprogram-malformed'],
    ['two definitions of one name', 'o1 sub\no1 endsub\no1 sub\no1 endsub\no1 call\nM2', 'subprogram-malformed'],
    ['an end without a beginning', 'o1 endwhile\nM2', 'flow-malformed'],
    ['a beginning without an end', 'o1 if [0]\nG1 X1\nM2', 'flow-malformed'],
    ['a word that is none', 'o1 goto\nM2', 'flow-malformed'],
    ['names without end', Array.from({ length: 1_100 }, (_, n) => `#<n${n}>=1\n`).join(''), 'program-too-large'],
  ])('attack 68: refuses %s', (_name, program, reason) => {
    expect(run(program, { stepsMax: 20_000 })).toMatchObject({ ok: false, reason })
  })
})
