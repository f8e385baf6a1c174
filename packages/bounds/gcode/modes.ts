import { letter } from './axes.ts'
import { codeName } from './block.ts'
import { groups } from './codes.ts'
import type { Codes } from './execute.ts'
import { restoreModes } from './flow.ts'
import type { Machine } from './machine.ts'
import { refuse } from './refusal.ts'
import type { State } from './state.ts'
import { pause } from './stops.ts'

/** Plane, units, distance: what is in force from here on. */
export function setModes({ modes }: State, codes: Codes): void {
  const set = (group: number, before: number) => ((codes[group] as number) >= 0 ? (codes[group] as number) : before)
  modes.plane = set(groups.plane, modes.plane)
  modes.units = set(groups.units, modes.units)
  modes.distance = set(groups.distance, modes.distance)
  modes.arcDistance = set(groups.arcDistance, modes.arcDistance)
  modes.retract = set(groups.retract, modes.retract)
  modes.lathe = set(groups.lathe, modes.lathe)
}

/** Outputs and saved modes: M codes that move nothing themselves. */
export function runModal(machine: Machine, codes: Codes): void {
  if (codes[groups.override] === 520) adapt(machine)
  const output = codes[groups.output] as number
  if (output === 660) pause(machine, 'M66')
  else if (output >= 0 && !machine.setup.areOutputsHarmless)
    refuse('code-forbidden', { code: codeName('M', output), wanted: 'a machine whose outputs are harmless' })
  saveModes(machine, codes[groups.modalState] as number)
}

function saveModes({ state, flow }: Machine, code: number): void {
  if (code === 700 || code === 730)
    flow.saved = { modes: { ...state.modes }, workOffset: state.workOffset, isRestoredOnReturn: code === 730 }
  else if (code === 710) flow.saved = undefined
  else if (code === 720) restoreModes(state, flow.saved ?? refuse('mode-unset', { wanted: 'M70' }))
}

/** M52: from here on an input slows the motion, and may stop it or turn it back; never is it faster. How long that takes, the program does not know. */
function adapt(machine: Machine): void {
  if (machine.setup.laser) refuse('laser-left-on', { during: 'adaptive feed', code: 'M52' })
  if ((machine.block.value(letter('P')) ?? 1) !== 0) machine.sum.waits += 1
}
