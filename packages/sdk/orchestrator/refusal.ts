import { type Detail, type LimitMet, limitMetOf, type Outcome } from '@interlock/contracts'

/** Why an intent was not carried out, and what would have been. */
export type Refusal = {
  /** The stage that said no, or `device`. */
  readonly stage: string
  /** Reason codes: the stage's README has them. */
  readonly reasons: readonly string[]
  /** The limit that was met: what was asked, the nearest that would have been allowed, whose limit it is. Undefined where the refusal is about something else. */
  readonly limit: LimitMet | undefined
  /** All that was said of it, for people. */
  readonly detail: Detail
}

/** The refusal in an outcome; undefined where the intent was completed. An outcome is signed by nobody: ask again by it, decide nothing by it. */
export function refusalOf({ status, stage, reasons, detail }: Outcome): Refusal | undefined {
  return status === 'completed' ? undefined : { stage, reasons, limit: limitMetOf(detail), detail: readDetail(detail) }
}

function readDetail(text: string): Detail {
  try {
    const detail: unknown = JSON.parse(text)
    return typeof detail === 'object' && detail !== null && !Array.isArray(detail) ? (detail as Detail) : {}
  } catch {
    return {}
  }
}
