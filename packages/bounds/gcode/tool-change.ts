import { axisArray, axisCount, letter } from './axes.ts'
import { groups } from './codes.ts'
import type { Codes } from './execute.ts'
import type { Machine } from './machine.ts'
import { refuse } from './refusal.ts'

/** T, M6 and M61. */
export function changeTool(machine: Machine, codes: Codes): void {
  const { block, state, sum } = machine
  const tool = block.value(letter('T'))
  if (tool !== undefined) {
    if (!Number.isInteger(tool) || tool < 0) refuse('tool-unknown', { tool })
    state.selectedTool = tool
  }
  const code = codes[groups.toolChange] as number
  if (code === 60) {
    if (Number.isNaN(state.selectedTool)) refuse('tool-unknown', { code: 'M6', wanted: 'T' })
    goToToolChange(machine)
    state.tool = state.selectedTool
    sum.useTool(state.tool)
  } else if (code === 610) {
    state.tool = block.wanted(letter('Q'))
    sum.useTool(state.tool)
  }
}

export function goToToolChange({ setup, motion, state, sum }: Machine): void {
  const place = setup.toolChange ?? refuse('tool-change-unknown', { wanted: 'where the machine changes tools' })
  if (motion.cost.laserPowerW() > 0 && state.modes.spindleState !== 50) refuse('laser-left-on', { during: 'a tool change' })
  const machine = axisArray(place, Number.NaN)
  let axes = 0
  for (let axis = 0; axis < axisCount; axis += 1) if (!Number.isNaN(machine[axis] as number)) axes |= 1 << axis
  if (axes !== 0) {
    motion.target.aimMachine(machine, axes)
    motion.straight(true)
  }
  sum.waits += 1
}
