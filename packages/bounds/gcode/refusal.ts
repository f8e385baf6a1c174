import type { Detail } from '@interlock/contracts'

/** Why a program cannot be bounded. */
export type ProgramReason =
  | 'program-too-large'
  | 'program-without-end'
  | 'program-too-long'
  | 'line-too-long'
  | 'character-unsupported'
  | 'comment-open'
  | 'comment-active'
  | 'block-delete'
  | 'number-malformed'
  | 'number-out-of-range'
  | 'expression-malformed'
  | 'expression-undefined'
  | 'comparison-undecided'
  | 'parameter-unset'
  | 'parameter-unknown'
  | 'parameter-protected'
  | 'subprogram-unknown'
  | 'subprogram-malformed'
  | 'call-too-deep'
  | 'flow-malformed'
  | 'loop-endless'
  | 'code-forbidden'
  | 'word-unsupported'
  | 'word-repeated'
  | 'word-missing'
  | 'word-out-of-place'
  | 'modal-conflict'
  | 'mode-unset'
  | 'motion-unset'
  | 'axis-unknown'
  | 'position-unknown'
  | 'offset-unknown'
  | 'reference-unknown'
  | 'tool-unknown'
  | 'tool-change-unknown'
  | 'feed-unset'
  | 'spindle-unset'
  | 'spindle-unbounded'
  | 'laser-left-on'
  | 'arc-malformed'
  | 'cycle-malformed'
  | 'compensation-malformed'
  | 'rotation-unsupported'
  | 'spline-malformed'

/**
 * A refusal on its way from where it is found, deep in an expression in a word in a block, to `programEnvelope`, which returns it as a value. It never
 * leaves this folder, and it is no Error: nothing is broken, and a stack trace for each refused program is work for an attacker to ask for.
 */
export class Refusal {
  readonly reason: ProgramReason
  readonly detail: Detail
  constructor(reason: ProgramReason, detail: Detail) {
    this.reason = reason
    this.detail = detail
  }
}

/** @throws Refusal */
export function refuse(reason: ProgramReason, detail: Detail = {}): never {
  throw new Refusal(reason, detail)
}
