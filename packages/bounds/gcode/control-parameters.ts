import { axisNames, isRotary } from './axes.ts'
import type { Machine } from './machine.ts'
import type { ControlParameters } from './variables.ts'

const unknown = Number.NaN

/** The control's own parameters (LinuxCNC manual, "Numbered Parameters" and "Predefined Named Parameters"), as far as they follow from what is known. */
export class ControlState implements ControlParameters {
  readonly #machine: Machine
  constructor(machine: Machine) {
    this.#machine = machine
  }

  numbered(index: number): number | undefined {
    const { state } = this.#machine
    // Results of a probe and of waiting for an input.
    if ((index >= 5061 && index <= 5070) || index === 5399) return unknown
    if (index >= 5420 && index <= 5428) return this.#inUnits(state.programPosition(), index - 5420)
    if (index >= 5401 && index <= 5409) return this.#inUnits(state.toolOffset, index - 5401)
    if (index === 5400) return state.tool
    if (index === 5220) return state.workOffset === 0 ? unknown : state.workOffset
    if (index === 5410) return state.tools.get(state.tool)?.diameterMm ?? unknown
    return index > 5000 ? unknown : undefined
  }

  named(name: string): number | undefined {
    const { state } = this.#machine
    const { modes } = state
    const isAbsolute = name.startsWith('_abs_')
    const axis = axisNames.indexOf(name.slice(isAbsolute ? 5 : 1) as (typeof axisNames)[number])
    if (axis >= 0 && axis < 9) return this.#inUnits(isAbsolute ? state.position : state.programPosition(), axis)
    const known: Readonly<Record<string, number>> = {
      _metric: modes.units < 0 ? unknown : Number(modes.units === 210),
      _imperial: modes.units < 0 ? unknown : Number(modes.units === 200),
      _absolute: modes.distance < 0 ? unknown : Number(modes.distance === 900),
      _incremental: modes.distance < 0 ? unknown : Number(modes.distance === 910),
      _feed: modes.feedLow > 0 && modes.feedLow === modes.feedHigh ? modes.feedLow / state.scale : unknown,
      _rpm: modes.spindle,
      _current_tool: state.tool,
      _selected_tool: state.selectedTool,
      _call_level: this.#machine.flow.depth,
      _line: this.#machine.reader.line,
    }
    if (Object.hasOwn(known, name)) return known[name]
    // The control has more of them (`#<_ini[…]>`, `#<_hal[…]>`, the time): which, depends on it.
    return controlNames.some((one) => name.startsWith(one)) ? unknown : undefined
  }

  #inUnits(numbers: Float64Array, axis: number): number {
    const { state } = this.#machine
    if (state.modes.units < 0) return unknown
    const value = (numbers[axis] as number) / (isRotary(axis) ? 1 : state.scale)
    return axis === 0 && state.modes.lathe === 70 ? value * 2 : value
  }
}

const controlNames = [
  '_ini[',
  '_hal[',
  '_v',
  '_task',
  '_tool_offset',
  '_selected_pocket',
  '_current_pocket',
  '_motion_mode',
  '_plane',
  '_ccomp',
  '_coord_system',
  '_cutter_',
  '_inverse_time',
  '_units_per_minute',
  '_units_per_rev',
  '_retract_',
  '_spindle_',
  '_mist',
  '_flood',
  '_speed_override',
  '_feed_override',
  '_adaptive_feed',
  '_feed_hold',
  '_remap_level',
  '_lathe_',
  '_ijk_',
  '_value',
]
