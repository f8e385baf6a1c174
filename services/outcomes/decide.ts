import type { Decision, OutcomeStatus, Receipt } from '@interlock/contracts'

/** What ended an intent, in the words of an Outcome. */
export type Ending = {
  readonly status: OutcomeStatus
  /** The stage that said no, or `device` for what the machine said. */
  readonly stage: string
  readonly reasons: readonly string[]
  readonly detail: string
}

/**
 * Refusals that are about a record, not about the intent it names: somebody played it again, or elsewhere. The intent itself goes its
 * own way, and what ends it there stands.
 */
const aboutTheRecord: ReadonlySet<string> = new Set(['replayed', 'conflicting-intent', 'wrong-key', 'wrong-partition'])

/** A stop or its lift held the command back: nobody judged it, so it is cancelled rather than denied or failed. */
const stops: ReadonlySet<string> = new Set(['stopped', 'decided-before-lift'])

/** Whether a stage's decision ends its intent, and how. Pure. */
export function endingOfDecision({ stage, verdict, reasons, detail }: Decision): Ending | undefined {
  if (verdict !== 'DENY' || reasons.some((reason) => aboutTheRecord.has(reason))) return undefined
  return { status: statusOfRefusal(reasons), stage, reasons, detail }
}

function statusOfRefusal(reasons: readonly string[]): OutcomeStatus {
  if (reasons.includes('approval-expired')) return 'expired'
  return reasons.some((reason) => stops.has(reason)) ? 'cancelled' : 'denied'
}

/** Whether a receipt ends its intent: only what the device signed as its last word does, or that none came in time. Pure. */
export function endingOfReceipt({ result, status, reasons, detail, measured }: Receipt): Ending | undefined {
  if (result === 'timed-out') return { status: 'timed-out', stage: 'device-dispatch', reasons, detail }
  if (result !== 'verified') return undefined
  if (status === 'completed') return { status, stage: 'device', reasons, detail: measured }
  if (status !== 'failed' && status !== 'refused') return undefined
  const isStopped = reasons.some((reason) => stops.has(reason))
  return { status: isStopped ? 'cancelled' : status, stage: 'device', reasons, detail: measured }
}
