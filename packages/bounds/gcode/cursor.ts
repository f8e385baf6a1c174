import { byte, kindOf, kinds } from './characters.ts'
import { limits } from './limits-of-work.ts'
import { refuse } from './refusal.ts'

const lineFeed = 10
const carriageReturn = 13

/** A place in the program's bytes: reads characters and plain numbers. */
export class Cursor {
  readonly bytes: Uint8Array
  at = 0
  /** Number of the line that is being read, from 1. */
  line = 1

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
  }

  get isAtEnd(): boolean {
    return this.at >= this.bytes.length
  }

  /** The next byte that is no space, upper case; a line feed at the end of a line and of the program. Does not pass it. */
  peek(): number {
    const { bytes } = this
    for (;;) {
      const next = bytes[this.at]
      if (next === undefined) return lineFeed
      if (next === 32 || next === 9) this.at += 1
      else if (next === carriageReturn) {
        if (this.at + 1 < bytes.length && bytes[this.at + 1] !== lineFeed) this.refuseCharacter(next)
        this.at += 1
      } else return next >= 97 && next <= 122 ? next - 32 : next
    }
  }

  /** Passes the next character where it is the one given. */
  takes(character: number): boolean {
    if (this.peek() !== character) return false
    this.at += 1
    return true
  }

  refuseCharacter(character: number): never {
    const shown =
      character > 32 && character < 127 ? String.fromCharCode(character) : `0x${character.toString(16).padStart(2, '0')}`
    return refuse('character-unsupported', { character: shown })
  }

  /**
   * A number without sign or exponent, at the cursor; NaN where there is none. Up to 15 digits it is the double nearest to what is written: both
   * parts are whole doubles, and their quotient is rounded once.
   */
  unsigned(): number {
    const { bytes } = this
    let value = 0
    let digits = 0
    let decimals = 0
    let hasPoint = false
    let at = this.at
    for (; ; at += 1) {
      const next = bytes[at] as number
      if (next >= 48 && next <= 57) {
        value = value * 10 + (next - 48)
        if (value > 0) digits += 1
        if (hasPoint) decimals += 1
      } else if (next === 46 && !hasPoint) hasPoint = true
      else break
    }
    const length = at - this.at
    if (length === 0 || (length === 1 && hasPoint)) return Number.NaN
    if (length > 40) return refuse('number-malformed', { digits: length })
    const text =
      digits > 15 || decimals > 22 ? Buffer.from(bytes.buffer, bytes.byteOffset + this.at, length).toString('latin1') : undefined
    this.at = at
    this.#refuseSplit()
    if (text !== undefined) return Number(text)
    return decimals === 0 ? value : value / (powers[decimals] as number)
  }

  /** `X1 2` is 12 to one controller and 1 to another. */
  #refuseSplit(): void {
    const kind = kindOf[this.bytes[this.at] ?? lineFeed]
    if (kind === kinds.point) refuse('number-malformed', { points: 2 })
    if (kind !== kinds.space) return
    const next = kindOf[this.peek()]
    if (next === kinds.digit || next === kinds.point) refuse('number-malformed', { split: true })
  }

  /** A name to the closing `>`: spaces do not count, nor does case. */
  name(): string {
    let name = ''
    for (;;) {
      const next = this.peek()
      if (next === lineFeed || kindOf[next] === kinds.beyond) return refuse('expression-malformed', { wanted: '>' })
      this.at += 1
      if (next === byte('>')) return name === '' ? refuse('expression-malformed', { wanted: 'a name' }) : name
      name += String.fromCharCode(next).toLowerCase()
      if (name.length > limits.nameMax) refuse('expression-malformed', { nameMax: limits.nameMax })
    }
  }

  /** Letters from here on, upper case. */
  letters(): string {
    let word = ''
    while (kindOf[this.peek()] === kinds.letter && word.length < 12) {
      word += String.fromCharCode(this.peek())
      this.at += 1
    }
    return word
  }
}

const powers = Float64Array.from({ length: 23 }, (_, index) => Number(`1e${index}`))
