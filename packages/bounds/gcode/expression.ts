import { byte, kindOf, kinds } from './characters.ts'
import type { Cursor } from './cursor.ts'
import { limits } from './limits-of-work.ts'
import { refuse } from './refusal.ts'
import type { Variables } from './variables.ts'

const open = byte('[')
const close = byte(']')
const hash = byte('#')

/** Binary operators by how tightly they bind (LinuxCNC manual, "Binary Operators"). */
const precedence: Readonly<Record<string, number>> = {
  AND: 1,
  OR: 1,
  XOR: 1,
  EQ: 2,
  NE: 2,
  GT: 2,
  GE: 2,
  LT: 2,
  LE: 2,
  '+': 3,
  '-': 3,
  '*': 4,
  '/': 4,
  MOD: 4,
  '**': 5,
}

/** Reads and evaluates numbers, parameters and expressions where the cursor stands (RS274/NGC §3.3.2.3). */
export class Expressions {
  readonly #cursor: Cursor
  readonly #variables: Variables
  #depth = 0

  constructor(cursor: Cursor, variables: Variables) {
    this.#cursor = cursor
    this.#variables = variables
  }

  /** For a new program or line: what a refusal left open is closed. */
  reset(): void {
    this.#depth = 0
  }

  /** A real value: a number, `#…`, `[…]` or a function, with signs before it. */
  value(): number {
    const cursor = this.#cursor
    const next = cursor.peek()
    const kind = kindOf[next]
    if (kind === kinds.digit || kind === kinds.point) return checked(cursor.unsigned())
    this.#deeper()
    const value = this.#compound(next, kind as number)
    this.#depth -= 1
    return checked(value)
  }

  /** `[…]` with its brackets. */
  bracketed(): number {
    if (!this.#cursor.takes(open)) return refuse('expression-malformed', { wanted: '[' })
    this.#deeper()
    const value = this.#operands(0)
    this.#depth -= 1
    if (!this.#cursor.takes(close)) return refuse('expression-malformed', { wanted: ']' })
    return value
  }

  get isBracketNext(): boolean {
    return this.#cursor.peek() === open
  }

  /** What follows `#`: the number of a parameter. */
  index(): number {
    const value = this.value()
    const index = Math.round(value)
    return Math.abs(value - index) > 1e-9 ? refuse('expression-malformed', { parameter: value }) : index
  }

  #compound(next: number, kind: number): number {
    const cursor = this.#cursor
    if (next === open) return this.bracketed()
    if (next === hash) {
      cursor.at += 1
      return this.#parameter()
    }
    if (kind === kinds.sign) {
      cursor.at += 1
      return next === byte('-') ? -this.value() : this.value()
    }
    if (kind === kinds.letter) return this.#call(cursor.letters())
    return refuse('number-malformed')
  }

  #parameter(): number {
    const cursor = this.#cursor
    if (!cursor.takes(byte('<'))) return this.#variables.read(this.index())
    return this.#variables.readNamed(cursor.name())
  }

  #operands(bindsAtLeast: number): number {
    let left = this.value()
    for (;;) {
      const from = this.#cursor.at
      const operator = this.#operator()
      const binds = precedence[operator] ?? 0
      if (binds <= bindsAtLeast) {
        this.#cursor.at = from
        return left
      }
      // All bind to the left: the right side takes only what binds more tightly.
      left = checked(apply(operator, left, this.#operands(binds)))
    }
  }

  #operator(): string {
    const cursor = this.#cursor
    const next = cursor.peek()
    if (next === close) return ''
    if (kindOf[next] === kinds.letter) {
      const word = cursor.letters()
      return Object.hasOwn(precedence, word) ? word : refuse('expression-malformed', { operator: word })
    }
    cursor.at += 1
    const sign = String.fromCharCode(next)
    if (sign === '*' && cursor.bytes[cursor.at] === byte('*')) {
      cursor.at += 1
      return '**'
    }
    return Object.hasOwn(precedence, sign) ? sign : refuse('expression-malformed', { wanted: 'an operator or ]' })
  }

  #call(name: string): number {
    if (name === 'EXISTS') return this.#exists()
    if (name === 'ATAN') {
      const opposite = this.bracketed()
      if (!this.#cursor.takes(byte('/'))) return refuse('expression-malformed', { wanted: 'ATAN[…]/[…]' })
      return degrees(Math.atan2(opposite, this.bracketed()))
    }
    const applied = Object.hasOwn(functions, name) ? functions[name] : undefined
    return applied ? applied(this.bracketed()) : refuse('expression-malformed', { function: name })
  }

  #exists(): number {
    const cursor = this.#cursor
    const isNamed = cursor.takes(open) && cursor.takes(hash) && cursor.takes(byte('<'))
    if (!isNamed) return refuse('expression-malformed', { wanted: 'EXISTS[#<name>]' })
    const exists = this.#variables.exists(cursor.name())
    return cursor.takes(close) ? Number(exists) : refuse('expression-malformed', { wanted: ']' })
  }

  #deeper(): void {
    this.#depth += 1
    if (this.#depth > limits.expressionDepthMax) refuse('expression-malformed', { depthMax: limits.expressionDepthMax })
  }
}

const radians = (value: number) => (value * Math.PI) / 180
const degrees = (value: number) => (value * 180) / Math.PI

const functions: Readonly<Record<string, (value: number) => number>> = {
  ABS: Math.abs,
  ACOS: (value) => degrees(Math.acos(value)),
  ASIN: (value) => degrees(Math.asin(value)),
  COS: (value) => Math.cos(radians(value)),
  EXP: Math.exp,
  FIX: Math.floor,
  FUP: Math.ceil,
  // Halves away from zero, as C's round.
  ROUND: (value) => Math.sign(value) * Math.floor(Math.abs(value) + 0.5),
  LN: Math.log,
  SIN: (value) => Math.sin(radians(value)),
  SQRT: Math.sqrt,
  TAN: (value) => Math.tan(radians(value)),
}

function apply(operator: string, left: number, right: number): number {
  switch (operator) {
    case '+':
      return left + right
    case '-':
      return left - right
    case '*':
      return left * right
    case '/':
      return right === 0 ? refuse('expression-undefined', { by: 0 }) : left / right
    case 'MOD':
      return right === 0 ? refuse('expression-undefined', { by: 0 }) : left - Math.abs(right) * Math.floor(left / Math.abs(right))
    case '**':
      return left ** right
    case 'AND':
      return Number(left !== 0 && right !== 0)
    case 'OR':
      return Number(left !== 0 || right !== 0)
    case 'XOR':
      return Number((left !== 0) !== (right !== 0))
    default:
      return Number(compare(operator, left, right))
  }
}

/**
 * Controllers take numbers for equal that differ by a little, each by another little, and their sines differ in the last digit. Where the answer
 * hangs on that, there is none.
 */
function compare(operator: string, left: number, right: number): boolean {
  const difference = Math.abs(left - right)
  const isEqual = difference < 1e-12 * Math.max(1, Math.abs(left), Math.abs(right))
  if (!isEqual && difference < 1e-4 && (operator === 'EQ' || operator === 'NE'))
    refuse('comparison-undecided', { operator, difference })
  if (isEqual && difference > 0 && operator !== 'EQ' && operator !== 'NE')
    refuse('comparison-undecided', { operator, difference })
  if (operator === 'EQ') return isEqual
  if (operator === 'NE') return !isEqual
  if (isEqual) return operator === 'GE' || operator === 'LE'
  return operator === 'GT' || operator === 'GE' ? left > right : left < right
}

function checked(value: number): number {
  if (Number.isNaN(value)) return refuse('expression-undefined')
  return Math.abs(value) > limits.numberMax ? refuse('number-out-of-range', { max: limits.numberMax }) : value
}
