import type { Approval, CommandDigest, Decision, Intent, StageName } from '@interlock/contracts'
import {
  type DelegationObligations,
  decideOn,
  deny,
  draftDecision,
  type EnforcerParts,
  type Incoming,
  isGenuine,
  obligationsOf,
  type Processor,
  type ReactionContext,
  type Subject,
  sealDecisions,
  signedEventId,
  subjectOf,
  type Verdict,
  verifyInput,
} from '@interlock/enforcer'
import { digest } from '@interlock/trust'
import { decide } from './decide.ts'
import { type AnswerReason, judgeAnswer } from './judge-answer.ts'
import { horizonMs, type OpenRequest, OpenRequests } from './open-requests.ts'

const name: StageName = 'approval-router'
const output = 'decisions.approval-router'

/** Two inputs, what semantic-bounds allowed and what humans answered, and the clock: silence is a no. */
export function approvalRouter(parts: EnforcerParts): Processor<OpenRequests> {
  const write = (key: string, record: Decision) => [{ topic: output, key, record }]
  return {
    name,
    inputs: ['decisions.semantic-bounds', 'approvals'],
    outputs: [output],
    memories: [],
    broadcasts: [],
    tables: ['control.agents', 'control.policies', 'control.revocations'],
    horizonMs,
    remember: () => new OpenRequests(),
    eventOf: (incoming) => ('verdict' in incoming.record ? signedEventId(incoming.record) : undefined),
    observe(memory, incoming) {
      if (incoming.position.topic !== output) return true
      if (!isGenuine(incoming, parts)) return false
      memory.add(incoming.record as Decision, incoming.position)
      return true
    },
    async react(memory, incoming, context) {
      if (!('verdict' in incoming.record)) {
        return write(incoming.key, await answered(memory, incoming as Incoming<'Approval'>, context, parts))
      }
      if (incoming.record.verdict !== 'ALLOW') return []
      return write(incoming.key, await decideOn({ name, decide }, memory, incoming, context, parts))
    },
    due: (memory, now) => memory.expired(now).map(({ position, decision }) => ({ position, intentId: decision.intentId })),
    async expire(memory, { position, intentId }, { now }) {
      const open = memory.get(intentId)
      if (!open) return []
      const verdict: Verdict<AnswerReason> = deny('approval-expired', { expiresAt: open.escalation.request.expiresAt })
      return write(open.decision.jobId, draftDecision(name, position, unverified(open), verdict, now))
    },
    forget: (memory, now) => memory.forget(now),
    seal: (writes) => sealDecisions(writes, parts.key),
  }
}

/** Exactly one decision for each answer; one that does not count is an ESCALATE, which ends nothing. */
async function answered(
  memory: OpenRequests,
  incoming: Incoming<'Approval'>,
  context: ReactionContext,
  parts: EnforcerParts,
): Promise<Decision> {
  const { record: approval, bytes, position } = incoming
  const { now } = context
  const open = memory.get(approval.intentId)
  if (!open) {
    const reason = memory.hasEnded(approval.intentId) ? 'answer-late' : 'answer-unexpected'
    return draftDecision(name, position, subjectOfAnswer(approval), ignored(reason, now), now)
  }
  // What was allowed minutes ago may not be any more: a key was revoked, or a decision lapsed while the human thought.
  const input = verifyInput(asInput(open), name, context, parts)
  if (!input.ok) return draftDecision(name, position, unverified(open), deny(input.reason, input.detail), now)
  const requester = obligationsOf<DelegationObligations>(input.value.statements, 'delegation-check')?.human ?? ''
  const { verdict, approvals } = await judgeAnswer(open, { approval, bytes }, requester, { ...context, trust: parts.trust })
  const subject = { ...subjectOf(input.value, open.decision.statements), approvals }
  return draftDecision(name, position, subject, verdict, now)
}

const ignored = (reason: AnswerReason, now: number): Verdict<AnswerReason> => ({
  verdict: 'ESCALATE',
  reasons: [reason],
  obligations: {},
  expiresAt: now,
})

/** The decision of semantic-bounds that an ESCALATE of ours answered, as it came. */
function asInput({ decision, position }: OpenRequest): Incoming<'Decision'> {
  const statements = decision.statements.slice(0, -1)
  const { eventId } = JSON.parse(statements.at(-1)?.statement.toString('utf8') ?? '{}')
  return { position, key: decision.jobId, record: { ...decision, eventId, statements, approvals: [] }, bytes: Buffer.alloc(0) }
}

/** What an open request is about, by our own earlier decision. */
function unverified({ decision }: OpenRequest): Subject {
  const { intentId, jobId, device, capability } = decision
  const intent = {
    intentId,
    jobId,
    device,
    capability,
    command: Buffer.alloc(0),
    program: null,
    tokens: [],
    proof: '',
  } as unknown as Intent
  return {
    intent,
    intentBytes: decision.intent,
    commandDigest: decision.commandDigest,
    before: decision.statements.slice(0, -1),
    statements: [],
    approvals: decision.approvals,
  }
}

function subjectOfAnswer({ intentId, jobId }: Approval): Subject {
  const none = Buffer.alloc(0)
  const intent = {
    intentId,
    jobId,
    device: '',
    capability: '',
    command: none,
    program: null,
    tokens: [],
    proof: '',
  } as unknown as Intent
  return { intent, intentBytes: none, commandDigest: digest(none) as CommandDigest, before: [], statements: [], approvals: [] }
}
