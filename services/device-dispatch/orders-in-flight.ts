import {
  decisionStatementSchema,
  type EventPosition,
  type Order,
  orderObligationsSchema,
  type Receipt,
} from '@interlock/contracts'
import type { PreviousCounters } from '@interlock/tpm'
import { digest, parseCanonical } from '@interlock/trust'

export const horizonMs = 24 * 3_600_000
/** How long after its deadline an order may stay without any answer: the device may have answered in time, and the answer be on its way. */
const answerGraceMs = 10_000

export type OrderInFlight = {
  readonly intentId: string
  readonly jobId: string
  readonly device: string
  readonly orderDigest: string
  readonly nonce: string
  readonly decidedAt: number
  readonly position: EventPosition
  /** When it counts as timed out. */
  readonly closesAt: number
  readonly state: 'sent' | 'accepted' | 'closed'
  /** The last word that closed it; empty where none came in time. */
  readonly closedBy?: string
}

/** The orders of one partition of `dispatch`, and what receipts say of them. */
export class OrdersInFlight {
  readonly #orders = new Map<string, OrderInFlight>()
  /** Receipts may be read before the order that they are about. */
  readonly #early = new Map<string, Receipt[]>()
  readonly #counters = new Map<string, PreviousCounters>()

  get(intentId: string): OrderInFlight | undefined {
    return this.#orders.get(intentId)
  }

  counters(device: string): PreviousCounters | undefined {
    return this.#counters.get(device)
  }

  /** Orders that nobody answered in time. */
  due(now: number): OrderInFlight[] {
    return [...this.#orders.values()].filter(({ state, closesAt }) => state !== 'closed' && closesAt <= now)
  }

  /** The first order of an intent counts, read from what device-dispatch signed. */
  addOrder(order: Order, position: EventPosition): void {
    if (this.#orders.has(order.intentId)) return
    const signed = order.statements.at(-1)?.statement ?? Buffer.alloc(0)
    const parsed = parseCanonical(signed, { bytesMax: 65_536, depthMax: 12 })
    const statement = parsed.ok ? decisionStatementSchema.safeParse(parsed.value) : undefined
    const obligations = statement?.success ? orderObligationsSchema.safeParse(statement.data.obligations) : undefined
    if (!statement?.success || !obligations?.success) return
    const { device, jobId, nonce, deadline } = obligations.data
    const { intentId, decidedAt } = statement.data
    const orderDigest = digest(signed)
    const closesAt = deadline + answerGraceMs
    this.#orders.set(intentId, { intentId, jobId, device, orderDigest, nonce, decidedAt, position, closesAt, state: 'sent' })
    for (const receipt of this.#early.get(intentId) ?? []) this.addReceipt(receipt)
    this.#early.delete(intentId)
  }

  addReceipt(receipt: Receipt): void {
    const { intentId, device, result, status } = receipt
    if (result === 'verified') {
      const { tpmClockMs: clock, tpmResetCount: resetCount, tpmRestartCount: restartCount } = receipt
      this.#counters.set(device, { clock, resetCount, restartCount })
    }
    if (result === 'rejected') return
    const order = this.#orders.get(intentId)
    if (!order) {
      this.#early.set(intentId, [...(this.#early.get(intentId) ?? []), receipt])
      return
    }
    if (order.orderDigest !== receipt.orderDigest || order.state === 'closed') return
    if (status !== 'accepted') this.#orders.set(intentId, { ...order, state: 'closed', closedBy: status })
    else this.#orders.set(intentId, { ...order, state: 'accepted', closesAt: completionOf(receipt) ?? order.closesAt })
  }

  forget(now: number): void {
    for (const [intentId, { decidedAt, state }] of this.#orders) {
      if (decidedAt > now - horizonMs) break
      if (state === 'closed') this.#orders.delete(intentId)
    }
    for (const [intentId, receipts] of this.#early) {
      if ((receipts[0]?.decidedAt ?? 0) > now - horizonMs) break
      this.#early.delete(intentId)
    }
  }
}

/** When an accepted order must have ended, as the receipt of its acceptance says. */
function completionOf({ detail }: Receipt): number | undefined {
  const { completeBy } = JSON.parse(detail) as { completeBy?: unknown }
  return typeof completeBy === 'number' ? completeBy : undefined
}
