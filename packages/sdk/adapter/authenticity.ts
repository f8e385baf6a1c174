import {
  accepted,
  type DecisionStatement,
  type Intent,
  type Order,
  type OrderObligations,
  orderObligationsSchema,
  quantitySchema,
  type Refused,
  refused,
} from '@interlock/contracts'
import { type ChainReason, verifyDecisionChain } from '@interlock/trust'
import { z } from 'zod'
import { type ApprovalsReason, verifyApprovals } from './verify-approvals.ts'
import { type AuthorityReason, verifyAuthority } from './verify-authority.ts'
import type { OrderContext, VerifiedOrder } from './verify-order.ts'

export type AuthenticityReason =
  | 'not-for-this-device'
  | 'intent-undecodable'
  | `chain-${ChainReason}`
  | 'obligations-malformed'
  | FieldReason
  | ApprovalsReason
  | AuthorityReason

type FieldReason =
  | 'event-id-differs'
  | 'intent-id-differs'
  | 'job-differs'
  | 'device-differs'
  | 'decided-at-differs'
  | 'deadline-differs'

/** Who says so: five enforcers, the agent, those who delegated to it and the humans who approved, each by their own signature. */
export async function verifyAuthenticity(
  order: Order,
  context: OrderContext,
): Promise<{ ok: true; value: VerifiedOrder } | Refused<AuthenticityReason>> {
  if (order.device !== context.device) return refused('not-for-this-device', { device: order.device })

  const decoded = context.codec.decode('intents', order.intent, 'Intent')
  if (!decoded.ok) return refused('intent-undecodable', { cause: decoded.reason })
  const intent = decoded.value

  const chain = verifyDecisionChain({
    intentBytes: order.intent,
    intent,
    statements: order.statements,
    upTo: 'device-dispatch',
    anchors: context.trust.anchors,
    now: context.now,
    // A device acts now, on decisions of seconds ago: a key revoked by now counts for nothing, whatever time its statement claims.
    isRevokedKey: (keyId) => isKeyRevoked(keyId, context),
    cache: context.verifiedRoots,
  })
  if (!chain.ok) return refused(`chain-${chain.reason}`, chain.detail)
  const { statements, digests, command, commandDigest } = chain.value
  const [identity, delegation, bounds, approval, dispatch] = statements as FiveStatements

  const obligations = orderObligationsSchema.safeParse(dispatch.obligations)
  if (!obligations.success) return refused('obligations-malformed', { stage: 'device-dispatch' })
  const bound = boundsObligationsSchema.safeParse(bounds.obligations)
  if (!bound.success) return refused('obligations-malformed', { stage: 'semantic-bounds' })
  const field = firstDifference(order, intent, dispatch, obligations.data)
  if (field) return field

  const approvals = await verifyApprovals(
    order.approvals,
    { intent, commandDigest, previous: digests[2] as string, approval, obligations: obligations.data, delegation },
    context,
  )
  if (!approvals.ok) return approvals

  const authority = await verifyAuthority(intent, { commandDigest, identity, delegation }, context)
  if (!authority.ok) return authority
  const { human, actors, subjects } = authority.value
  return accepted({
    intent,
    command,
    program: intent.program,
    statements,
    obligations: obligations.data,
    quantities: bound.data.quantities,
    uses: bound.data.uses,
    orderDigest: digests[4] as string,
    decidedAt: dispatch.decidedAt,
    human,
    actors,
    subjects: [...subjects, ...approvals.value.map((sub) => ['human', sub] as const), ['device', order.device]],
  })
}

const boundsObligationsSchema = z.object({
  quantities: z.record(z.string(), quantitySchema),
  uses: z.record(z.string(), quantitySchema.loose()),
})

export type FiveStatements = readonly [
  DecisionStatement,
  DecisionStatement,
  DecisionStatement,
  DecisionStatement,
  DecisionStatement,
]

/** The record's flat fields are the writer's word; what is signed decides, and a record that says otherwise was tampered with. */
function firstDifference(
  order: Order,
  intent: Intent,
  dispatch: DecisionStatement,
  obligations: OrderObligations,
): Refused<FieldReason> | undefined {
  const fields: readonly (readonly [FieldReason, unknown, unknown])[] = [
    ['event-id-differs', order.eventId, dispatch.eventId],
    ['intent-id-differs', order.intentId, dispatch.intentId],
    ['device-differs', order.device, obligations.device],
    ['device-differs', intent.device, obligations.device],
    ['job-differs', order.jobId, obligations.jobId],
    ['job-differs', intent.jobId, obligations.jobId],
    ['decided-at-differs', order.decidedAt, dispatch.decidedAt],
    ['deadline-differs', order.deadline, obligations.deadline],
  ]
  const found = fields.find(([, said, signed]) => said !== signed)
  return found && refused(found[0], { said: found[1], signed: found[2] })
}

function isKeyRevoked(keyId: string, { standing, now }: OrderContext): boolean {
  const entry = standing.revocations.get(`enforcer-key:${keyId}`)
  return entry !== undefined && entry.from <= now
}
