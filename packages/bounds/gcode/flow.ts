import { byte } from './characters.ts'
import { type FlowIndex, indexFlow } from './flow-index.ts'
import { limits } from './limits-of-work.ts'
import type { Machine } from './machine.ts'
import { refuse } from './refusal.ts'
import type { Modes, State } from './state.ts'
import type { Scope } from './variables.ts'

type Loop = { readonly name: string; readonly kind: 'while' | 'do' | 'repeat'; readonly at: number; left: number }
type Frame = {
  readonly name: string
  readonly returnAt: number
  readonly returnLine: number
  /** Undefined for M98, whose parameters are its caller's. */
  readonly scope: Scope | undefined
  readonly loops: Loop[]
  /** Calls that are still to be made (M98 L). */
  left: number
  readonly entry: number
  saved: SavedModes | undefined
}
/** What M70 or M73 put aside. */
export type SavedModes = { readonly modes: Modes; readonly workOffset: number; readonly isRestoredOnReturn: boolean }

const argumentsMax = 30

/** Subprograms, branches and loops (LinuxCNC manual, "O Codes"), and M98 and M99: which line is next. */
export class Flow {
  readonly #machine: Machine
  #index: FlowIndex | undefined
  readonly #frames: Frame[] = []
  readonly #mainLoops: Loop[] = []
  /** The name whose branch is looked for: the next `elseif` or `else` of it is asked, not passed. */
  #seeking: string | undefined
  #mainSaved: SavedModes | undefined

  constructor(machine: Machine) {
    this.#machine = machine
  }

  get depth(): number {
    return this.#frames.length
  }

  /** Runs a line that begins with an O-word; the cursor stands behind its name. */
  run(name: string) {
    const { cursor } = this.#machine.reader
    const keyword = cursor.letters()
    const at = this.#here(keyword)
    const seeking = this.#seeking
    this.#seeking = undefined
    switch (keyword) {
      case '':
        return this.#label()
      case 'SUB':
        return this.#passSubprogram(at)
      case 'ENDSUB':
      case 'RETURN':
        return this.#return(name, keyword)
      case 'CALL':
        return this.#call(name)
      case 'IF':
        return this.#branch(at)
      case 'ELSEIF':
        return seeking === name ? this.#branch(at) : this.#jump(this.#next(at, ['ENDIF']), true)
      case 'ELSE':
        return seeking === name ? this.#finish() : this.#jump(this.#next(at, ['ENDIF']), true)
      case 'ENDIF':
        return this.#finish()
      case 'WHILE':
        return this.#while(name, at)
      case 'ENDWHILE':
        return this.#jump(this.#loopOf(name, 'while', keyword).at, false)
      case 'DO':
        return this.#do(name, at)
      case 'REPEAT':
        return this.#repeat(name, at)
      case 'ENDREPEAT':
        return this.#endRepeat(name)
      case 'BREAK':
      case 'CONTINUE':
        return this.#leave(name, keyword)
      default:
        refuse('flow-malformed', { word: keyword })
    }
  }

  /** M98: calls the subprogram that begins with a bare `O<number>`. */
  callNumbered(number: number, times: number): void {
    const target = this.#flow().labels.get(String(number)) ?? refuse('subprogram-unknown', { subprogram: number })
    if (!Number.isInteger(times) || times < 0) refuse('word-out-of-place', { L: times })
    if (times > 0) this.#enter(`O${number}`, target, undefined, times)
  }

  /** M99: back to the caller. In the main program it would begin again, for ever. */
  returnNumbered() {
    const frame = this.#frames.at(-1)
    if (!frame) return refuse('loop-endless', { code: 'M99' })
    if (frame.scope) return refuse('subprogram-malformed', { code: 'M99', in: frame.name })
    frame.left -= 1
    frame.loops.length = 0
    if (frame.left > 0) this.#jump(frame.entry, true)
    else this.#pop(frame)
  }

  /** Of M70 and M73, at this level of calls. */
  get saved(): SavedModes | undefined {
    const frame = this.#frames.at(-1)
    return frame ? frame.saved : this.#mainSaved
  }

  set saved(saved: SavedModes | undefined) {
    const frame = this.#frames.at(-1)
    if (frame) frame.saved = saved
    else this.#mainSaved = saved
  }

  #flow(): FlowIndex {
    this.#index ??= indexFlow(this.#machine.reader.cursor.bytes)
    return this.#index
  }

  /** The place of the line that is being run in the index. */
  #here(keyword: string): number {
    const index = this.#flow()
    const found = index.atLine(this.#machine.reader.line)
    return found ?? refuse('flow-malformed', { word: keyword })
  }

  /** The next line of the same name that says one of these; what is passed on the way is work too. */
  #next(at: number, keywords: readonly string[]): number {
    const { lines } = this.#flow()
    let passed = 0
    for (let next = lines[at]?.nextOfName ?? -1; next >= 0; next = lines[next]?.nextOfName ?? -1) {
      passed += 1
      const line = lines[next]
      if (line && keywords.includes(line.keyword)) {
        this.#machine.sum.step(passed)
        return next
      }
    }
    return refuse('flow-malformed', { wanted: keywords.join(' or '), of: lines[at]?.name })
  }

  #jump(to: number, isPassed: boolean): void {
    const { cursor } = this.#machine.reader
    const line = this.#flow().lines[to] ?? refuse('flow-malformed')
    cursor.at = isPassed ? line.end : line.start
    cursor.line = line.number + (isPassed ? 1 : 0)
  }

  #finish(): void {
    const { reader, block } = this.#machine
    reader.finish(block)
  }

  /** A bare `O1` names what follows: the main program, or what M98 calls. Running into it is harmless, since M99 is then refused. */
  #label(): void {
    this.#finish()
  }

  #passSubprogram(at: number): void {
    if (this.#frames.length > 0) refuse('subprogram-malformed', { wanted: 'no definition within a subprogram' })
    this.#jump(this.#next(at, ['ENDSUB']), true)
  }

  #branch(at: number): void {
    const { expressions } = this.#machine.reader
    const holds = expressions.bracketed() !== 0
    this.#finish()
    if (holds) return
    const next = this.#next(at, ['ELSEIF', 'ELSE', 'ENDIF'])
    this.#jump(next, false)
    this.#seeking = this.#flow().lines[next]?.name
  }

  get #loops(): Loop[] {
    return this.#frames.at(-1)?.loops ?? this.#mainLoops
  }

  #push(loop: Loop): void {
    if (this.#loops.length >= limits.loopDepthMax) refuse('call-too-deep', { loopDepthMax: limits.loopDepthMax })
    this.#loops.push(loop)
  }

  #loopOf(name: string, kind: Loop['kind'], keyword: string): Loop {
    const loop = this.#loops.at(-1)
    return loop?.name === name && loop.kind === kind ? loop : refuse('flow-malformed', { word: keyword, of: name })
  }

  #while(name: string, at: number): void {
    const { expressions } = this.#machine.reader
    const loop = this.#loops.at(-1)
    const isTail = loop?.name === name && loop.kind === 'do'
    const isAgain = loop?.name === name && loop.kind === 'while' && loop.at === at
    const holds = expressions.bracketed() !== 0
    this.#finish()
    if (isTail) {
      if (holds) this.#jump(loop.at, true)
      else this.#loops.pop()
      return
    }
    if (holds) {
      if (!isAgain) this.#push({ name, kind: 'while', at, left: 0 })
      return
    }
    if (isAgain) this.#loops.pop()
    this.#jump(this.#next(at, ['ENDWHILE']), true)
  }

  #do(name: string, at: number): void {
    this.#finish()
    this.#push({ name, kind: 'do', at, left: 0 })
  }

  #repeat(name: string, at: number): void {
    const times = Math.round(this.#machine.reader.expressions.bracketed())
    this.#finish()
    if (times > 0) this.#push({ name, kind: 'repeat', at, left: times })
    else this.#jump(this.#next(at, ['ENDREPEAT']), true)
  }

  #endRepeat(name: string): void {
    const loop = this.#loopOf(name, 'repeat', 'ENDREPEAT')
    this.#finish()
    loop.left -= 1
    if (loop.left > 0) this.#jump(loop.at, true)
    else this.#loops.pop()
  }

  #leave(name: string, keyword: 'BREAK' | 'CONTINUE'): void {
    const loops = this.#loops
    while (loops.length > 0 && loops.at(-1)?.name !== name) loops.pop()
    const loop = loops.at(-1) ?? refuse('flow-malformed', { word: keyword, of: name })
    const end = this.#next(loop.at, [{ while: 'ENDWHILE', do: 'WHILE', repeat: 'ENDREPEAT' }[loop.kind]])
    if (keyword === 'BREAK') loops.pop()
    this.#jump(end, keyword === 'BREAK')
  }

  #call(name: string) {
    const { reader } = this.#machine
    const values: number[] = []
    while (reader.cursor.peek() === byte('[')) {
      if (values.length >= argumentsMax) refuse('flow-malformed', { argumentsMax })
      values.push(reader.expressions.bracketed())
    }
    this.#finish()
    const target = this.#flow().subprograms.get(name) ?? refuse('subprogram-unknown', { subprogram: name })
    if (target === 'twice') return refuse('subprogram-malformed', { subprogram: name, defined: 'twice' })
    this.#enter(name, target, this.#machine.variables.enter(values), 1)
  }

  #enter(name: string, entry: number, scope: Scope | undefined, left: number): void {
    const { cursor } = this.#machine.reader
    if (this.#frames.length >= limits.callDepthMax) refuse('call-too-deep', { callDepthMax: limits.callDepthMax })
    this.#frames.push({ name, returnAt: cursor.at, returnLine: cursor.line, scope, loops: [], left, entry, saved: undefined })
    this.#jump(entry, true)
  }

  #return(name: string, keyword: string) {
    const { reader, variables } = this.#machine
    const frame = this.#frames.at(-1)
    if (!frame?.scope || (keyword === 'ENDSUB' && frame.name !== name))
      return refuse('subprogram-malformed', { word: keyword, of: name })
    const value = reader.cursor.peek() === byte('[') ? reader.expressions.bracketed() : undefined
    this.#finish()
    variables.leave(frame.scope)
    variables.setReturn(value)
    this.#pop(frame)
  }

  #pop(frame: Frame): void {
    const { cursor } = this.#machine.reader
    if (frame.saved?.isRestoredOnReturn) restoreModes(this.#machine.state, frame.saved)
    this.#frames.pop()
    cursor.at = frame.returnAt
    cursor.line = frame.returnLine
  }
}

export function restoreModes(state: State, { modes, workOffset }: SavedModes): void {
  state.modes = { ...modes }
  state.selectWorkOffset(workOffset)
}
