import { approvalRequestSchema, type Decision, type EventPosition } from '@interlock/contracts'
import { statementOf } from '@interlock/enforcer'
import { z } from 'zod'

/** The longest time for which a human may be asked. The decisions before lapse about then, too. */
export const requestLifeMsMax = 15 * 60_000
/** How far back memory reaches: longer than any request is open. */
export const horizonMs = 2 * requestLifeMsMax

/** What an ESCALATE asks, under approval-router's own signature. `answered` are the humans whose ALLOW counts so far. */
const escalationSchema = z.strictObject({
  request: approvalRequestSchema.omit({ answer: true, human: true }),
  approvers: z.array(z.string()).max(32),
  required: z.int().min(1).max(8),
  answered: z.array(z.string()).max(32),
})
export type Escalation = z.infer<typeof escalationSchema>

export type OpenRequest = {
  /** The ESCALATE of the intent that counts most answers: it carries the intent, the statements before, and the approvals counted so far. */
  readonly decision: Decision
  readonly escalation: Escalation
  /** Where the first ESCALATE lies: the record that expires. */
  readonly position: EventPosition
}

/** The requests of one partition that wait for humans, and which intents are past it. A fold over the own decisions. */
export class OpenRequests {
  readonly #open = new Map<string, OpenRequest>()
  readonly #ended = new Map<string, number>()

  get(intentId: string): OpenRequest | undefined {
    return this.#open.get(intentId)
  }

  hasEnded(intentId: string): boolean {
    return this.#ended.has(intentId)
  }

  countOf(jobId: string): number {
    return [...this.#open.values()].filter(({ escalation }) => escalation.request.jobId === jobId).length
  }

  /** Requests whose time is over by now. */
  expired(now: number): OpenRequest[] {
    return [...this.#open.values()].filter(({ escalation }) => escalation.request.expiresAt <= now)
  }

  /** The first ALLOW or DENY ends an intent here; whatever follows changes nothing. Reads what is signed, not the record's columns. */
  add(decision: Decision, position: EventPosition): void {
    const statement = statementOf(decision)
    if (!statement || !('verdict' in statement) || this.#ended.has(statement.intentId)) return
    const { intentId, verdict, decidedAt, obligations } = statement
    if (verdict !== 'ESCALATE') {
      this.#open.delete(intentId)
      this.#ended.set(intentId, decidedAt)
      return
    }
    const escalation = escalationSchema.safeParse(obligations)
    if (!escalation.success) return
    const open = this.#open.get(intentId)
    // A record that counts no further answer (a wrong one, the same intent again) changes nothing.
    if (open && escalation.data.answered.length <= open.escalation.answered.length) return
    this.#open.set(intentId, { decision, escalation: escalation.data, position: open?.position ?? position })
  }

  /** A request that is open is never forgotten: it expires. Entries of those that ended lie in the order of their end. */
  forget(now: number): void {
    for (const [intentId, endedAt] of this.#ended) {
      if (endedAt > now - horizonMs) return
      this.#ended.delete(intentId)
    }
  }
}
