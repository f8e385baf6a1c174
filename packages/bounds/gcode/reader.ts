import { bit, letterName } from './axes.ts'
import type { Block } from './block.ts'
import { byte, kindOf, kinds } from './characters.ts'
import { Cursor } from './cursor.ts'
import type { Reading } from './dialects/dialect.ts'
import { Expressions } from './expression.ts'
import { limits } from './limits-of-work.ts'
import type { MachineSetup } from './machine-setup.ts'
import { refuse } from './refusal.ts'
import type { Variables } from './variables.ts'

const lineFeed = 10
const [gLetter, mLetter, nLetter, oLetter] = [6, 12, 13, 14]
/** Letters that mean something to one of the dialects. */
const knownLetters = bit('ABCDEFGHIJKLMPQRSTUVWXYZ')

/** Reads a program line by line into a block (RS274/NGC §3.3). What it does not know is refused, never passed over. */
export class Reader {
  readonly cursor: Cursor
  readonly expressions: Expressions
  readonly #reading: Reading
  readonly #variables: Variables
  /** Assignments of a line take effect when all of it is read: two arrays of places and values. */
  readonly #assigned: (readonly [number | string, number])[] = []
  readonly #blockDelete: MachineSetup['blockDelete']
  #lineStart = 0
  /** Number of the line that is being read, or was read last. */
  line = 1

  constructor(bytes: Uint8Array, reading: Reading, variables: Variables, blockDelete: MachineSetup['blockDelete']) {
    this.#blockDelete = blockDelete
    this.cursor = new Cursor(bytes)
    this.#reading = reading
    this.#variables = variables
    this.expressions = new Expressions(this.cursor, variables)
  }

  /** The line that is being read, at most 80 characters that print. */
  get text(): string {
    const line = Buffer.from(this.cursor.bytes.subarray(this.#lineStart, this.#lineStart + 80)).toString('latin1')
    return (line.split('\n')[0] ?? '').replace(/[^ -~]/g, '?').trim()
  }

  /**
   * Fills the block from the line at the cursor. Where the line has an O-word, stops behind its name, `block.oName`, with the cursor before what it
   * says; otherwise the line is passed. @throws Refusal
   */
  read(block: Block): void {
    const { cursor } = this
    const { bytes } = cursor
    block.clear()
    this.#lineStart = cursor.at
    this.line = cursor.line
    let isFirst = true
    for (;;) {
      let next = bytes[cursor.at]
      if (next === undefined) break
      const kind = kindOf[next]
      if (kind === kinds.space) {
        cursor.at += 1
        continue
      }
      if (kind === kinds.letter) {
        if (next > 90) {
          if (!this.#reading.hasLowerCase) cursor.refuseCharacter(next)
          next -= 32
        }
        cursor.at += 1
        if (next - 65 === oLetter && isFirst && this.#reading.hasExpressions) {
          block.oName = this.#oName()
          return
        }
        if (next - 65 !== nLetter) isFirst = false
        if (!this.#word(block, next - 65)) return
      } else if (kind === kinds.lineEnd) {
        this.endLine()
        break
      } else if (!this.#mark(block, next, isFirst)) return
    }
    if (this.#assigned.length > 0) this.#assign()
  }

  /** Passes what is left of the line: nothing but comments. */
  finish(block: Block): void {
    const { cursor } = this
    for (let next = cursor.peek(); next !== lineFeed; next = cursor.peek()) {
      if (next !== byte('(') && next !== byte(';')) cursor.refuseCharacter(next)
      if (!this.#mark(block, next, false)) return
    }
    this.endLine()
  }

  endLine(): void {
    const { cursor } = this
    if (cursor.at - this.#lineStart > limits.lineMax) refuse('line-too-long', { max: limits.lineMax })
    if (cursor.at < cursor.bytes.length) {
      cursor.at += 1
      cursor.line += 1
    }
  }

  /** Reads one word; false where the rest of the line is text and has been passed. */
  #word(block: Block, letter: number): boolean {
    const { cursor } = this
    // Marlin's flags: `G28 X` names an axis without a number.
    const next = kindOf[cursor.bytes[cursor.at] as number]
    const value =
      next === kinds.digit
        ? cursor.unsigned()
        : this.#reading.hasExpressions
          ? this.expressions.value()
          : this.#plain(block, letter)
    if (letter === nLetter) {
      // Only its place tells a line number from something else; a controller does nothing with it.
      return true
    }
    if ((knownLetters & (1 << letter)) === 0) refuse('word-unsupported', { word: letterName(letter) })
    if (value > limits.valueMax || value < -limits.valueMax)
      refuse('number-out-of-range', { word: letterName(letter), value, max: limits.valueMax })
    if (letter === gLetter || letter === mLetter) {
      block.enterCode(letter === gLetter, value)
      if (letter === mLetter && this.#reading.textCommands.has(value)) {
        this.#passComment()
        return true
      }
    } else block.enter(letter, value)
    return true
  }

  /** A number with a sign and nothing else. */
  #plain(block: Block, letter: number): number {
    const { cursor } = this
    const sign = cursor.peek()
    const isSigned = sign === byte('-') || sign === byte('+')
    if (isSigned) cursor.at += 1
    cursor.peek()
    const value = cursor.unsigned()
    if (!Number.isNaN(value)) return sign === byte('-') ? -value : value
    if (isSigned || !this.#reading.isOneCommandALine) return refuse('number-malformed', { word: letterName(letter) })
    block.flags |= 1 << letter
    return 0
  }

  /** What is neither word nor space. False where the line has been passed. */
  #mark(block: Block, next: number, isFirst: boolean): boolean {
    const { cursor } = this
    const { hasBracketComments, hasExpressions, isOneCommandALine } = this.#reading
    if (next === 13) {
      cursor.peek()
      return true
    }
    if (next === byte(';')) {
      this.#passComment()
      return true
    }
    if (next === byte('(') && hasBracketComments) {
      this.#bracketComment()
      return true
    }
    cursor.at += 1
    if (next === byte('#') && hasExpressions) this.#assignment()
    else if (next === byte('/') && isFirst && hasBracketComments) return this.#deleted()
    else if (next === byte('%') && isFirst && hasBracketComments) {
      block.isPercent = true
      this.finish(block)
      return false
    } else if (next === byte('*') && isOneCommandALine) cursor.unsigned()
    // Signs and points without a letter.
    else cursor.refuseCharacter(next)
    return true
  }

  /** A block that begins with `/`: whether it is run depends on a switch at the machine. False where it has been passed. */
  #deleted(): boolean {
    if (this.#blockDelete === undefined) refuse('block-delete')
    if (this.#blockDelete === 'run') return true
    this.#passComment()
    this.endLine()
    return false
  }

  #oName(): string {
    const { cursor } = this
    if (cursor.takes(byte('<'))) return `<${cursor.name()}>`
    const value = this.expressions.isBracketNext ? this.expressions.bracketed() : cursor.unsigned()
    if (!Number.isInteger(value) || value < 0) return refuse('flow-malformed', { wanted: 'a number or <name> after O' })
    return String(value)
  }

  #assignment(): void {
    const { cursor, expressions } = this
    const place = cursor.takes(byte('<')) ? cursor.name() : expressions.index()
    if (!cursor.takes(byte('='))) refuse('expression-malformed', { wanted: '=' })
    this.#assigned.push([place, expressions.value()])
  }

  #assign(): void {
    for (const [place, value] of this.#assigned) {
      if (typeof place === 'number') this.#variables.write(place, value)
      else this.#variables.writeNamed(place, value)
    }
    this.#assigned.length = 0
  }

  /** To the closing bracket on the same line: a comment that is not closed is refused, for it hides what follows from some readers. */
  #bracketComment(): void {
    const { cursor } = this
    for (;;) {
      cursor.at += 1
      const next = cursor.bytes[cursor.at] ?? lineFeed
      if (next === lineFeed || next === byte('(')) refuse('comment-open')
      this.#checkText(next)
      if (next === byte(')')) break
    }
    cursor.at += 1
  }

  /** To the end of the line. Such comments do not count for its length: controllers drop them first. */
  #passComment(): void {
    const { cursor } = this
    const start = cursor.at
    for (let next = cursor.bytes[cursor.at]; next !== undefined && next !== lineFeed; next = cursor.bytes[cursor.at]) {
      this.#checkText(next)
      cursor.at += 1
    }
    const text = Buffer.from(cursor.bytes.subarray(start, start + 8))
      .toString('latin1')
      .toLowerCase()
    // LinuxCNC with its Python plugin runs them.
    if (text.startsWith(';py,')) refuse('comment-active', { comment: ';py,' })
    if (!this.#reading.hasBracketComments) this.#lineStart = cursor.at
  }

  /** Text is passed over, but for what acts inside text too: a lone carriage return ends a line for some (ATTACKS 68). */
  #checkText(next: number): void {
    const kind = kindOf[next]
    const isLineEnding = next === 13 && (this.cursor.bytes[this.cursor.at + 1] ?? lineFeed) === lineFeed
    const isText = (kind !== kinds.refused || isLineEnding) && (kind !== kinds.beyond || this.#reading.realTimeBytes === '')
    if (!isText || this.#reading.realTimeBytes.includes(String.fromCharCode(next))) this.cursor.refuseCharacter(next)
  }
}
