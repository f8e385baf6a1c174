import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { programEnvelope } from '@interlock/bounds'
import { linuxcncMachine, linuxcncPrograms } from '../gcode/linuxcnc-machine.ts'
import { type Judgement, report, type SuiteReport } from './suite.ts'

/**
 * LinuxCNC's example and test programs, on its own simulated machine: each gets an envelope (passed) or a refusal that names line and reason (left out).
 * Those made to be bad pass where they are refused.
 */
export function gcode(folder: string): SuiteReport | undefined {
  const programs = linuxcncPrograms(folder)
  if (!programs) return undefined
  return report(
    'gcode',
    programs.files.map((name): [string, Judgement] => [
      name,
      judge(readFileSync(join(programs.folder, name)), /\/bad\//.test(name)),
    ]),
  )
}

function judge(program: Uint8Array, isBad: boolean): Judgement {
  const ran = programEnvelope(program, linuxcncMachine)
  if (ran.ok) return isBad ? { kind: 'failed', why: 'bounded a program that is made to be bad' } : { kind: 'passed' }
  if (typeof ran.detail.line !== 'number') return { kind: 'failed', why: `refused (${ran.reason}) without a line` }
  if (isBad) return { kind: 'passed' }
  const { code } = ran.detail
  return {
    kind: 'left out',
    why: typeof code === 'string' && ran.reason === 'code-forbidden' ? `${ran.reason} ${code}` : ran.reason,
  }
}
