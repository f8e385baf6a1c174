import { Accumulator } from './accumulator.ts'
import { Block } from './block.ts'
import { ControlState } from './control-parameters.ts'
import type { CycleMemory } from './cycles.ts'
import type { Dialect } from './dialects/dialect.ts'
import { Flow } from './flow.ts'
import type { MachineSetup } from './machine-setup.ts'
import { Motion, type Observer } from './motion.ts'
import { Reader } from './reader.ts'
import { State } from './state.ts'
import { Variables } from './variables.ts'

/** All that a program runs on. */
export class Machine {
  readonly setup: MachineSetup
  readonly dialect: Dialect
  readonly state: State
  readonly sum = new Accumulator()
  readonly motion: Motion
  readonly variables: Variables
  readonly block = new Block()
  reader: Reader
  flow: Flow
  hasEnded = false
  /** While a series of canned cycles lasts. */
  cycle: CycleMemory | undefined

  constructor(setup: MachineSetup, dialect: Dialect, bytes: Uint8Array, observe: Observer | undefined) {
    this.setup = setup
    this.dialect = dialect
    this.state = new State(setup)
    this.motion = new Motion(this.state, this.sum, dialect.reading.roundoff, observe)
    this.variables = new Variables(new ControlState(this))
    this.reader = new Reader(bytes, dialect.reading, this.variables, setup.blockDelete)
    this.flow = new Flow(this)
  }

  /** Puts another text under the reader: the control's start-up before the program. */
  load(bytes: Uint8Array): void {
    this.reader = new Reader(bytes, this.dialect.reading, this.variables, this.setup.blockDelete)
    this.flow = new Flow(this)
    this.hasEnded = false
  }
}
