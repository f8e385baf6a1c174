import {
  type BoundsObligations,
  type DelegationObligations,
  deny,
  type IdentityObligations,
  obligationsOf,
  type StageContext,
  type StageInput,
  type Verdict,
} from '@interlock/enforcer'
import type { DecisionPoint, DecisionPointReason } from './decision-point.ts'
import { type Evaluation, resourceType, subjectType } from './evaluation.ts'

/**
 * What the rules allow is asked of an external decision point, where control.policies names one: by its own entry, and by the word `required` in the
 * policy, so that whoever takes that entry away takes the yes away with it. It is asked last, and it can only refuse: what the rules
 * refuse it never hears of, and nothing that it says allows more.
 */
export async function confirm<Reason extends string>(
  verdict: Verdict<Reason>,
  input: StageInput,
  { tables }: Pick<StageContext<unknown>, 'tables'>,
  point: DecisionPoint,
): Promise<Verdict<Reason | DecisionPointReason>> {
  if (verdict.verdict !== 'ALLOW') return verdict
  const entry = tables['control.policies'].get('decision-point')
  const policy = tables['control.policies'].get('bounds')
  const isAbsent = entry === undefined || (entry.kind === 'decision-point' && entry.state === 'retired')
  if (isAbsent && policy?.kind === 'bounds' && policy.decisionPoint === 'required')
    return { ...deny<DecisionPointReason>('decision-point-missing', { limitOf: 'policy' }), ...named(verdict) }
  if (entry === undefined) return verdict
  if (entry.kind !== 'decision-point') return { ...deny<DecisionPointReason>('decision-point-malformed'), ...named(verdict) }
  if (entry.state === 'retired') return verdict
  const answer = await point.ask(entry, evaluationOf(verdict, input), input.intent.intentId)
  if (answer.ok) return verdict
  return { ...deny<DecisionPointReason>(answer.reason, { ...answer.detail, limitOf: 'policy' }), ...named(verdict) }
}

const named = ({ policy }: Verdict<string>) => (policy === undefined ? {} : { policy })

function evaluationOf(
  verdict: Extract<Verdict<string>, { verdict: 'ALLOW' }>,
  { command, statements, intent }: StageInput,
): Evaluation {
  const identity = obligationsOf<IdentityObligations>(statements, 'identity-verify')
  const delegation = obligationsOf<DelegationObligations>(statements, 'delegation-check')
  const { risk, quantities } = verdict.obligations as BoundsObligations
  return {
    subject: {
      type: subjectType,
      id: identity?.agent ?? '',
      properties: { definition: identity?.definition, assurance: identity?.assurance, human: delegation?.human },
    },
    // The quantities as they were read, in the machine's units: what it is asked about is what will be done.
    action: { name: command.capability, properties: { risk, quantities, program: command.program ?? null } },
    resource: { type: resourceType, id: command.device },
    // As our own decision point reads it (hypothetical.ts).
    context: { parameters: command.parameters, human: delegation?.human ?? '', job: intent.jobId },
  }
}
