import type { DecisionStatement, DeviceEntry, Quantity, Refused } from '@interlock/contracts'
import {
  accepted,
  type Codec,
  type Command,
  type Detail,
  type Intent,
  type Order,
  type OrderObligations,
  refused,
} from '@interlock/contracts'
import type { StoredProgramReason } from '@interlock/programs'
import type { VerifiedRoots } from '@interlock/trust'
import { type AuthenticityReason, verifyAuthenticity } from './authenticity.ts'
import { type DeviceReason, isFree, isReady } from './device-rules.ts'
import type { DeviceTrust } from './device-trust.ts'
import type { DeviceUse } from './device-use.ts'
import { firstRevoked, type RevocationSubject, type StandingOrders, type StopReason, standingStop } from './standing.ts'

export type OrderReason =
  | AuthenticityReason
  | StopReason
  | StoredProgramReason
  | DeviceReason
  | 'already-run'
  | 'revoked'
  | 'decided-in-future'
  | 'deadline-passed'
  | 'program-store-unavailable'

export type OrderContext = {
  /** Who I am. */
  readonly device: string
  readonly trust: DeviceTrust
  readonly standing: StandingOrders
  /** What control.devices says of this device; undefined where it says nothing. */
  readonly profile: DeviceEntry | undefined
  readonly codec: Codec
  /** What the journal knows to have begun. */
  readonly hasBegun: (intentId: string) => boolean
  /** Who used the device last, and how much lately, by the journal. */
  readonly use: DeviceUse
  /** Milliseconds since 1970, and by how much others' clocks may differ from ours. */
  readonly now: number
  readonly skewMs: number
  readonly verifiedRoots: VerifiedRoots
}

/** An order whose every signature this device has checked itself. */
export type VerifiedOrder = {
  readonly intent: Intent
  readonly command: Command
  /** Its digest is the command's. Before `OrderRunner` has fetched it, `null` for one that lies in the store. */
  readonly program: Buffer | null
  readonly statements: readonly DecisionStatement[]
  readonly obligations: OrderObligations
  /** What semantic-bounds converted the parameters to, in the units of the device's profile: a device converts nothing itself. */
  readonly quantities: Readonly<Record<string, Quantity>>
  /** The most that it uses of each budget, by the same signature. */
  readonly uses: Readonly<Record<string, Quantity>>
  /** base64url SHA-256 of device-dispatch's statement: what the ack names. */
  readonly orderDigest: string
  readonly decidedAt: number
  readonly human: string
  /** SPIFFE IDs, the root token's actor first. */
  readonly actors: readonly string[]
  /** Everything that a revocation could name. */
  readonly subjects: readonly RevocationSubject[]
}

/** A refusal says whether the order was genuine: only then may the answer name it, else a forgery could end the real one. */
export type OrderRefusal = Refused<OrderReason> & { readonly genuine?: VerifiedOrder }
export type OrderVerdict = { readonly ok: true; readonly value: VerifiedOrder } | OrderRefusal

/**
 * Whether this device may carry the order out. Pure and offline: nothing but the pinned trust, the control tables, the
 * journal and the clock. First who says so, then whether it may still happen.
 */
export async function verifyOrder(order: Order, context: OrderContext): Promise<OrderVerdict> {
  const authentic = await verifyAuthenticity(order, context)
  if (!authentic.ok) return authentic
  const verified = authentic.value
  const still = mayStillRun(verified, context)
  if (!still.ok || !context.profile) return still
  const free = isFree(context.profile, askedBy(verified, context), context.use)
  return free.ok ? still : refuse(verified, free.reason, free.detail)
}

const askedBy = ({ obligations, command, uses }: VerifiedOrder, { now }: Pick<OrderContext, 'now'>) => ({
  jobId: obligations.jobId,
  capability: command.capability,
  uses,
  now,
})

/** The part that can change from one moment to the next; checked again when the journal has the order and before the machine moves. */
export function mayStillRun(order: VerifiedOrder, context: OrderContext): OrderVerdict {
  if (context.hasBegun(order.intent.intentId)) return refuse(order, 'already-run', { intentId: order.intent.intentId })

  const held = heldBack(order, context)
  if (held) return held

  const ready = isReady(context.profile, askedBy(order, context))
  if (!ready.ok) return refuse(order, ready.reason, ready.detail)

  if (order.decidedAt > context.now + context.skewMs) return refuse(order, 'decided-in-future', { decidedAt: order.decidedAt })
  // No skew here: a device whose clock runs behind gains time it was not given, so the deadline is as short as the signer made it.
  if (context.now > order.obligations.deadline) return refuse(order, 'deadline-passed', { deadline: order.obligations.deadline })
  return accepted(order)
}

/** A stop or revocation that concerns the order: it holds before the machine moves and while it does. */
export function heldBack(
  order: VerifiedOrder,
  { standing, now }: Pick<OrderContext, 'standing' | 'now'>,
): OrderRefusal | undefined {
  const stop = standingStop({ ...order.obligations, agents: order.actors, decidedAt: order.decidedAt }, standing.stops)
  if (stop)
    return refuse(order, stop.reason, { scope: stop.stop.scope, subject: stop.stop.subject, changedAt: stop.stop.changedAt })

  const revoked = firstRevoked(order.subjects, standing.revocations, now)
  return revoked && refuse(order, 'revoked', { kind: revoked.kind, subject: revoked.subject, from: revoked.from })
}

/** A refusal of a genuine order. */
export const refuse = (genuine: VerifiedOrder, reason: OrderReason, detail: Detail): OrderRefusal => ({
  ...refused(reason, detail),
  genuine,
})
