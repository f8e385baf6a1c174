import { accepted, type Decision, type Result, refused } from '@interlock/contracts'
import type { DecisionPoint, DecisionPointReason } from '../authzen/decision-point.ts'

const reasons: readonly DecisionPointReason[] = [
  'decision-point-refuses',
  'decision-point-timeout',
  'decision-point-unavailable',
  'decision-point-malformed',
]

/** Answers as the external decision point did when the decision was taken: what it would say today is another question. */
export class RecordedDecisionPoint implements DecisionPoint {
  recorded: Pick<Decision, 'reasons'> | undefined

  async ask(): Promise<Result<void, DecisionPointReason>> {
    const reason = reasons.find((one) => this.recorded?.reasons.includes(one))
    return reason ? refused(reason) : accepted(undefined)
  }
}
