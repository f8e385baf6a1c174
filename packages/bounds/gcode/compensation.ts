import { axisCount, isRotary, letter, letterOfAxis } from './axes.ts'
import { groups } from './codes.ts'
import type { Codes } from './execute.ts'
import type { Machine } from './machine.ts'
import type { Tool } from './machine-setup.ts'
import { refuse } from './refusal.ts'

const [letterD, letterH] = [letter('D'), letter('H')] as [number, number]

/** G40 to G42.1: the tool goes beside its path, by its radius at most. */
export function compensate({ block, state, setup }: Machine, codes: Codes): void {
  const code = codes[groups.compensation] as number
  if (code < 0) return
  const { modes } = state
  if (code === 400) {
    state.leavesCompensation = modes.compensation !== 400
    modes.compensation = code
    return
  }
  if (modes.compensation !== 400) refuse('compensation-malformed', { wanted: 'G40 first' })
  if (modes.plane === 190) refuse('compensation-malformed', { wanted: 'G17 or G18' })
  modes.compensation = code
  const isDynamic = code === 411 || code === 421
  const diameterMm = isDynamic
    ? block.wanted(letterD) * state.scale
    : toolOf(setup.tools !== undefined, state.tools, block.value(letterD) ?? state.tool).diameterMm
  state.compensationRadius = Math.abs(diameterMm) / 2
}

/** G43 to G49: where the tool's tip is. */
export function setToolLength({ block, state, setup }: Machine, codes: Codes): void {
  const code = codes[groups.toolLength] as number
  if (code < 0) return
  const { toolOffset } = state
  if (code === 490) toolOffset.fill(0)
  const isGiven = code === 431 || (code === 432 && !block.has(letterH))
  if (isGiven) {
    for (let axis = 0; axis < axisCount; axis += 1) {
      const value = block.value(letterOfAxis[axis] as number)
      if (value === undefined) continue
      const offset = value * (isRotary(axis) ? 1 : state.scale)
      toolOffset[axis] = code === 432 ? (toolOffset[axis] as number) + offset : offset
    }
  } else if (code !== 490) {
    const { offsets } = toolOf(setup.tools !== undefined, state.tools, block.value(letterH) ?? state.tool)
    for (const [axis, name] of (['x', 'y', 'z', 'a', 'b', 'c', 'u', 'v', 'w'] as const).entries()) {
      toolOffset[axis] = (code === 432 ? (toolOffset[axis] as number) : 0) + (offsets[name] ?? 0)
    }
  }
  state.offsetsChanged()
}

/** Tool 0 is none, where there is a table of tools at all. */
function toolOf(hasTable: boolean, tools: ReadonlyMap<number, Tool>, number: number): Tool {
  const tool = tools.get(number) ?? (number === 0 && hasTable ? { offsets: {}, diameterMm: 0 } : undefined)
  return tool ?? refuse('tool-unknown', { tool: Number.isNaN(number) ? 'whichever is in the spindle' : number })
}
