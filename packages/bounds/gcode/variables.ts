import { limits } from './limits-of-work.ts'
import { refuse } from './refusal.ts'

const localCount = 30
const userMax = 5_000
/** Numbered parameters from here on are the control's own; LinuxCNC ends at 5602. */
const controlMax = 5_602

/** What a numbered or predefined parameter of the control says: undefined where there is none, NaN where it is not known here. */
export type ControlParameters = {
  numbered(index: number): number | undefined
  named(name: string): number | undefined
}

/** Parameters of a program. What was never set is not 0: the control may hold a value of the program before (LinuxCNC keeps them all). */
export class Variables {
  readonly #numbered = new Float64Array(userMax + 1).fill(Number.NaN)
  readonly #global = new Map<string, number>()
  #local = new Map<string, number>()
  readonly #control: ControlParameters
  #namedCount = 0

  constructor(control: ControlParameters) {
    this.#control = control
  }

  read(index: number): number {
    if (index >= 1 && index <= userMax) {
      const value = this.#numbered[index] as number
      return Number.isNaN(value) ? refuse('parameter-unset', { parameter: `#${index}` }) : value
    }
    return this.#known(`#${index}`, index > userMax && index <= controlMax ? this.#control.numbered(index) : undefined)
  }

  readNamed(name: string): number {
    const value = this.#scope(name).get(name)
    return value ?? this.#known(`#<${name}>`, name.startsWith('_') ? this.#control.named(name) : undefined)
  }

  /** Whether a named parameter is there, where that can be told. */
  exists(name: string): boolean {
    if (this.#scope(name).has(name)) return true
    if (!name.startsWith('_')) return false
    return this.#control.named(name) !== undefined || refuse('parameter-unknown', { parameter: `#<${name}>` })
  }

  write(index: number, value: number): void {
    if (!(index >= 1 && index <= userMax)) refuse('parameter-protected', { parameter: `#${index}` })
    this.#numbered[index] = value
  }

  writeNamed(name: string, value: number): void {
    if (name.startsWith('_') && this.#control.named(name) !== undefined)
      refuse('parameter-protected', { parameter: `#<${name}>` })
    const scope = this.#scope(name)
    if (!scope.has(name) && ++this.#namedCount > limits.namedParametersMax) {
      refuse('program-too-large', { namedParameters: this.#namedCount, max: limits.namedParametersMax })
    }
    scope.set(name, value)
  }

  /** What a subprogram returned (LinuxCNC's `#<_value>`). */
  setReturn(value: number | undefined): void {
    this.#global.set('_value', value ?? 0)
    this.#global.set('_value_returned', value === undefined ? 0 : 1)
  }

  /** Begins a subprogram's own #1 to #30, arguments first and 0 for the rest, and its own names. Returns what `leave` puts back. */
  enter(values: readonly number[]): Scope {
    const scope = { numbered: this.#numbered.slice(1, localCount + 1), named: this.#local }
    this.#local = new Map()
    for (let index = 1; index <= localCount; index += 1) this.#numbered[index] = values[index - 1] ?? 0
    return scope
  }

  leave(scope: Scope): void {
    this.#namedCount -= this.#local.size
    this.#numbered.set(scope.numbered, 1)
    this.#local = scope.named
  }

  /** A name that begins with an underscore is global. */
  #scope(name: string): Map<string, number> {
    return name.startsWith('_') ? this.#global : this.#local
  }

  #known(parameter: string, value: number | undefined): number {
    if (value === undefined) return refuse('parameter-unset', { parameter })
    return Number.isNaN(value) ? refuse('parameter-unknown', { parameter }) : value
  }
}

export type Scope = { readonly numbered: Float64Array; readonly named: Map<string, number> }
