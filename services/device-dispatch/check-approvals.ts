import { accepted, approvalRuleFor, type Result, refused } from '@interlock/contracts'
import {
  type ApprovalObligations,
  type BoundsObligations,
  obligationsOf,
  type StageContext,
  type StageInput,
} from '@interlock/enforcer'
import { type ApprovalReason, digest, verifyApproval } from '@interlock/trust'

export type ApprovalsReason =
  | 'policy-missing'
  | 'rule-missing'
  | 'approvals-differ'
  | 'approval-human-unknown'
  | 'approval-not-asked'
  | 'approval-other-request'
  | 'approval-repeated'
  | 'approvals-too-few'
  | 'approval-requester-alone'
  | `approval-${ApprovalReason}`

type Context = Pick<StageContext<unknown>, 'now' | 'tables' | 'trust'>

/**
 * Verifies each approval that approval-router says it counted, and by the policy that they are enough: a stage that was broken into can
 * neither make up a human's assertion nor say that none was needed. Digests of the records, in their order.
 */
export async function checkApprovals(
  input: StageInput,
  requester: string,
  context: Context,
): Promise<Result<readonly string[], ApprovalsReason>> {
  const { intent, statements, approvals } = input
  const policy = context.tables['control.policies'].get('approval')
  if (policy?.kind !== 'approval') return refused('policy-missing')
  const risk = obligationsOf<BoundsObligations>(statements, 'semantic-bounds')?.risk ?? ''
  const rule = approvalRuleFor(policy, { device: intent.device, capability: intent.capability, risk })
  if (!rule) return refused('rule-missing', { device: intent.device, capability: intent.capability, risk })

  const routed = obligationsOf<ApprovalObligations>(statements, 'approval-router')
  const digests = approvals.map(({ bytes }) => digest(bytes) as string)
  if (!routed || digests.join() !== routed.approvals.join()) return refused('approvals-differ', { found: digests.length })

  const humans = new Set<string>()
  for (const { approval } of approvals) {
    const verified = await checkOne(approval, input, context)
    if (!verified.ok) return verified
    const { human } = approval
    if (!rule.approvers.includes(human)) return refused('approval-not-asked', { human })
    if (humans.has(human)) return refused('approval-repeated', { human })
    humans.add(human)
  }
  const required = Math.max(rule.approvals, routed.required)
  if (humans.size < required) return refused('approvals-too-few', { found: humans.size, required })
  if (humans.size === 1 && humans.has(requester)) return refused('approval-requester-alone', { human: requester })
  return accepted(digests)
}

/** One human's yes to this very intent, by a passkey that counts now. */
async function checkOne(
  approval: StageInput['approvals'][number]['approval'],
  { intent, statements, statementDigests }: StageInput,
  { now, tables, trust }: Context,
): Promise<Result<undefined, ApprovalsReason>> {
  const human = tables['control.agents'].get(`human:${approval.human}`)
  const isRevoked = (tables['control.revocations'].get(`human:${approval.human}`)?.from ?? Number.POSITIVE_INFINITY) <= now
  if (human?.kind !== 'human' || human.state !== 'active' || !human.roles.includes('approver') || isRevoked)
    return refused('approval-human-unknown', { human: approval.human })
  const { rpId, origins } = trust.webauthn
  const router = statements.at(-1)
  // As of when the router counted it: an answer given in time does not lapse on its way here.
  const verified = await verifyApproval({ approval, human, expected: { rpId, origins }, now: router?.decidedAt ?? now })
  if (!verified.ok) return refused(`approval-${verified.reason}`, verified.detail)
  const wanted = {
    intentId: intent.intentId,
    jobId: intent.jobId,
    commandDigest: router?.commandDigest,
    // semantic-bounds' statement: by it the request is bound to all that was decided before it was asked (ATTACKS 79).
    previous: statementDigests[2],
    answer: 'ALLOW',
  }
  const other = Object.entries(wanted).find(([name, value]) => verified.value[name as keyof typeof wanted] !== value)
  return other ? refused('approval-other-request', { member: other[0] }) : accepted(undefined)
}
