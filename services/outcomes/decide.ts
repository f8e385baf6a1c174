import type { Decision, OutcomeStatus, Receipt } from '@interlock/contracts'
import { statementOf } from '@interlock/enforcer'

/** What ended an intent, in the words of an Outcome. */
export type Ending = {
  readonly status: OutcomeStatus
  /** The stage that said no, or `device` for what the machine said. */
  readonly stage: string
  readonly reasons: readonly string[]
  readonly detail: string
}

/**
 * Refusals that are about a record, not about the intent it names: somebody played it again, or said yes after a no. The intent itself
 * goes its own way, and what ends it there stands.
 */
const aboutTheRecord: ReadonlySet<string> = new Set(['replayed', 'conflicting-intent', 'refused-before'])

/** Nobody judged it: the time for it was over. */
const lapses: ReadonlySet<string> = new Set(['approval-expired', 'chain-expired', 'decisions-too-old'])

/** A stop or its lift held the command back: nobody judged it either. */
const stops: ReadonlySet<string> = new Set(['stopped', 'decided-before-lift'])

/** Whether a stage's decision ends its intent, and how. Pure. Reads what is signed; `detail` is for people. */
export function endingOfDecision(decision: Decision): Ending | undefined {
  const statement = statementOf(decision)
  if (!statement || !('verdict' in statement) || statement.verdict !== 'DENY') return undefined
  const { stage, reasons } = statement
  if (reasons.some((reason) => aboutTheRecord.has(reason))) return undefined
  return { status: statusOfRefusal(reasons), stage, reasons, detail: decision.detail }
}

function statusOfRefusal(reasons: readonly string[]): OutcomeStatus {
  if (reasons.some((reason) => lapses.has(reason))) return 'expired'
  return reasons.some((reason) => stops.has(reason)) ? 'cancelled' : 'denied'
}

/** Whether a receipt ends its intent: only what the device signed as its last word does, or that none came in time. Pure. */
export function endingOfReceipt(receipt: Receipt): Ending | undefined {
  const statement = statementOf(receipt)
  if (!statement || !('result' in statement)) return undefined
  const { result, status, reasons } = statement
  if (result === 'timed-out') return { status: 'timed-out', stage: 'device-dispatch', reasons, detail: receipt.detail }
  const said = { stage: 'device', reasons, detail: receipt.measured }
  if (result !== 'verified') return undefined
  if (status === 'completed' || status === 'failed') return { status, ...said }
  if (status !== 'refused') return undefined
  // Not begun at all: where a stop interrupted the machine it has failed, and somebody must look at what lies in it.
  return { status: reasons.some((reason) => stops.has(reason)) ? 'cancelled' : 'refused', ...said }
}
