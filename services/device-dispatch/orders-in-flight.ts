import type { EventPosition, ReceiptStatement } from '@interlock/contracts'
import type { PreviousCounters } from '@interlock/tpm'
import { orderLifeMsMax } from './decide.ts'

/** Longer than any order can be open. */
export const horizonMs = 2 * orderLifeMsMax
/** How long after its time an order may stay without an answer: it may have been given in time and be on its way here. */
export const answerGraceMs = 10_000

export type OrderInFlight = {
  readonly intentId: string
  readonly jobId: string
  readonly device: string
  /** The human who answers for the agent that asked, as identity-verify signed. */
  readonly owner: string
  /** base64url SHA-256 of device-dispatch's statement. */
  readonly orderDigest: string
  readonly nonce: string
  readonly position: EventPosition
  /** By when the device must have begun, and have ended. */
  readonly beginBy: number
  readonly endBy: number
}

/** What receipts say of an order. `said` is the digest of the device's word, empty where none came in time. */
export type Word = { readonly state: 'accepted' | 'closed'; readonly said: string; readonly at: number }

/** What a receipt of a verified ack adds to memory: the device's word, and the counters of its TPM, where it has one. */
export type AckFacts = { readonly said: string; readonly tpm?: TpmFacts }
type TpmFacts = { readonly signer: string; readonly counters: PreviousCounters }

/** The orders of one partition of `dispatch`, and what receipts say of them. Receipts may be read before the order they are about. */
export class OrdersInFlight {
  /** Which partition this is, once a record of it was met: receipts of the others are not kept. */
  partition: number | undefined
  readonly #orders = new Map<string, OrderInFlight>()
  readonly #words = new Map<string, Word>()
  readonly #open = new Set<string>()
  readonly #counters = new Map<string, PreviousCounters>()
  #firstDueAt: number | undefined
  /** No open order closes before: asked at each tick, a device that is away for an hour must not cost a look at all of its orders. */
  #nextCloseAt = Number.POSITIVE_INFINITY

  get(intentId: string): OrderInFlight | undefined {
    return this.#orders.get(intentId)
  }

  wordOn(orderDigest: string): Word | undefined {
    return this.#words.get(orderDigest)
  }

  /** The counters that the attestation key of this qualified name showed last. */
  counters(signer: string): PreviousCounters | undefined {
    return this.#counters.get(signer)
  }

  /** Orders that nobody answered in time. After a start what devices said meanwhile is read first. */
  due(now: number): OrderInFlight[] {
    this.#firstDueAt ??= now
    if (now < this.#firstDueAt + answerGraceMs || now < this.#nextCloseAt) return []
    const open = [...this.#open].flatMap((intentId) => this.#orders.get(intentId) ?? [])
    const due = open.filter((order) => this.#closesAt(order) <= now)
    // What is due now stays open until its receipt is written.
    this.#nextCloseAt = open.reduce((earliest, order) => Math.min(earliest, this.#closesAt(order)), Number.POSITIVE_INFINITY)
    return due
  }

  /** The first order of an intent counts. */
  addOrder(order: OrderInFlight): void {
    if (this.#orders.has(order.intentId)) return
    this.#orders.set(order.intentId, order)
    if (this.#words.get(order.orderDigest)?.state === 'closed') return
    this.#open.add(order.intentId)
    this.#nextCloseAt = Math.min(this.#nextCloseAt, this.#closesAt(order))
  }

  /** What a genuine receipt says; `facts` are those of its ack. */
  addReceipt({ intentId, orderDigest, result, status, decidedAt }: ReceiptStatement, facts: AckFacts | undefined): void {
    if (result === 'rejected') return
    if (facts?.tpm) this.#raise(facts.tpm)
    const known = this.#words.get(orderDigest)
    if (known?.state === 'closed') return
    const state = status === 'accepted' ? 'accepted' : 'closed'
    if (known?.state !== state) this.#words.set(orderDigest, { state, said: facts?.said ?? '', at: decidedAt })
    if (state === 'closed' && this.#orders.get(intentId)?.orderDigest === orderDigest) this.#open.delete(intentId)
  }

  /** Receipts of one device lie in many partitions and are read in any order: the highest counters are the last. */
  #raise({ signer, counters }: TpmFacts): void {
    const last = this.#counters.get(signer)
    if (!last || isLater(counters, last)) this.#counters.set(signer, counters)
  }

  #closesAt({ beginBy, endBy, orderDigest }: OrderInFlight): number {
    return (this.#words.get(orderDigest)?.state === 'accepted' ? endBy : beginBy) + answerGraceMs
  }

  forget(now: number): void {
    for (const [intentId, { endBy }] of this.#orders) {
      if (endBy > now - orderLifeMsMax) break
      if (!this.#open.has(intentId)) this.#orders.delete(intentId)
    }
    for (const [orderDigest, { at }] of this.#words) {
      if (at > now - horizonMs) break
      this.#words.delete(orderDigest)
    }
  }
}

function isLater(one: PreviousCounters, other: PreviousCounters): boolean {
  if (one.resetCount !== other.resetCount) return one.resetCount > other.resetCount
  if (one.restartCount !== other.restartCount) return one.restartCount > other.restartCount
  return one.clock > other.clock
}
