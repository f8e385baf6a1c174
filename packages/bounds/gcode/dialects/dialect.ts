import type { Machine } from '../machine.ts'
import type { DialectName } from '../machine-setup.ts'

/** How a family of controllers reads a line. */
export type Reading = {
  readonly name: DialectName
  /** `(…)` is a comment, `%` marks a tape, `/` a block that may be left out. */
  readonly hasBracketComments: boolean
  /** Parameters, expressions and O-words. */
  readonly hasExpressions: boolean
  readonly hasLowerCase: boolean
  /** One command a line, with its words behind it, and none carries over to the next (Marlin). */
  readonly isOneCommandALine: boolean
  /** Bytes that act at once wherever they stand, comments too (GRBL 1.1, "Real-Time Commands"). */
  readonly realTimeBytes: string
  /** M codes whose line is text from there on. */
  readonly textCommands: ReadonlySet<number>
  /** Unit roundoff of the controller's own arithmetic. */
  readonly roundoff: number
}

export type Dialect = {
  readonly reading: Reading
  /** A program must say where it ends; otherwise it ends with its file. */
  readonly endsExplicitly: boolean
  /** Runs one block, which holds words and no flow. */
  readonly run: (machine: Machine) => void
}

/** Doubles and floats round to nearest: half a unit in the last place (IEEE 754). */
export const roundoffOf = { double: 2 ** -53, float: 2 ** -24 } as const
