import {
  type ApprovalRequest,
  approvalRequestSchema,
  type Decision,
  decisionStatementSchema,
  type EventPosition,
} from '@interlock/contracts'
import { parseCanonical } from '@interlock/trust'
import { z } from 'zod'

/** How far back memory reaches: the longest time for which an identity-verify ALLOW lets a human answer, twice. */
export const horizonMs = 30 * 60_000

/** What an ESCALATE asks, under approval-router's own signature. `answered` are the humans whose ALLOW counts so far. */
const escalationSchema = z.strictObject({
  request: approvalRequestSchema.omit({ answer: true, human: true }),
  approvers: z.array(z.string()).max(32),
  required: z.int().min(1).max(8),
  answered: z.array(z.string()).max(32),
})
export type Escalation = z.infer<typeof escalationSchema>
export type AskedRequest = Omit<ApprovalRequest, 'answer' | 'human'>

export type OpenRequest = {
  /** The last ESCALATE of the intent: it carries the intent, the statements before, and the approvals counted so far. */
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
    return [...this.#open.values()].filter(({ decision }) => decision.jobId === jobId).length
  }

  /** Requests whose time is over by now. */
  expired(now: number): OpenRequest[] {
    return [...this.#open.values()].filter(({ escalation }) => escalation.request.expiresAt <= now)
  }

  /** The first ALLOW or DENY ends an intent here; whatever follows changes nothing. */
  add(decision: Decision, position: EventPosition): void {
    const { intentId } = decision
    if (this.#ended.has(intentId)) return
    if (decision.verdict !== 'ESCALATE') {
      this.#open.delete(intentId)
      this.#ended.set(intentId, decision.decidedAt)
      return
    }
    const escalation = readEscalation(decision)
    if (escalation) this.#open.set(intentId, { decision, escalation, position: this.#open.get(intentId)?.position ?? position })
  }

  /** A request that is open is never forgotten: it expires. Entries of those that ended lie in the order of their end. */
  forget(now: number): void {
    for (const [intentId, endedAt] of this.#ended) {
      if (endedAt > now - horizonMs) return
      this.#ended.delete(intentId)
    }
  }
}

/** Read from what is signed, not from the record's columns. */
function readEscalation(decision: Decision): Escalation | undefined {
  const parsed = parseCanonical(decision.statements.at(-1)?.statement ?? Buffer.alloc(0), { bytesMax: 65_536, depthMax: 12 })
  const statement = parsed.ok ? decisionStatementSchema.safeParse(parsed.value) : undefined
  const escalation = statement?.success ? escalationSchema.safeParse(statement.data.obligations) : undefined
  return escalation?.success ? escalation.data : undefined
}
