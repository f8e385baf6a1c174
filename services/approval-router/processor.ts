import type { Approval, CommandDigest, Decision, Intent, IntentId, JobId, StageName } from '@interlock/contracts'
import {
  answersStageBefore,
  decideOn,
  deny,
  draftDecision,
  type EnforcerParts,
  type Incoming,
  isDecisionOf,
  type Processor,
  type ReactionContext,
  type Subject,
  sealDecisions,
  signedEventId,
  statementOf,
  subjectOf,
  unverifiedSubject,
  type Verdict,
  verifyInput,
} from '@interlock/enforcer'
import { digest } from '@interlock/trust'
import { decide } from './decide.ts'
import { type AnswerReason, judgeAnswer, stillOpen } from './judge-answer.ts'
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
      if (!isDecisionOf(name, incoming, parts)) return false
      const decision = incoming.record as Decision
      if (endsAnother(decision, parts)) return true
      memory.add(decision, incoming.position)
      return true
    },
    // An answer to what this instance does not know: the question may have been asked by the one before it, and not be read yet.
    lacks: (memory, { record }) => !('verdict' in record) && isUnknown(memory, (record as Approval).intentId),
    async react(memory, incoming, context) {
      if (!('verdict' in incoming.record)) {
        return write(incoming.key, await answered(memory, incoming as Incoming<'Approval'>, context, parts))
      }
      if (incoming.record.verdict !== 'ALLOW') return []
      return write(incoming.key, await decideOn({ name, decide }, memory, incoming, context, parts))
    },
    due: (memory, now) =>
      memory.expired(now).map(({ position, escalation }) => ({ position, intentId: escalation.request.intentId })),
    async expire(memory, { position, intentId }, { now }) {
      const open = memory.get(intentId)
      if (!open) return []
      const verdict: Verdict<AnswerReason> = deny('approval-expired', { expiresAt: open.escalation.request.expiresAt })
      const subject = unverifiedSubject(asInput(open), parts)
      return write(open.decision.jobId, draftDecision(name, position, subject, verdict, now))
    },
    forget: (memory, now) => memory.forget(now),
    seal: (writes) => sealDecisions(writes, parts.key),
  }
}

const isUnknown = (memory: OpenRequests, intentId: string) => memory.get(intentId) === undefined && !memory.hasEnded(intentId)

/** A refusal of a forged input bears the intentId that the forger chose: it ends no request of that name. */
const endsAnother = (decision: Decision, parts: EnforcerParts) =>
  decision.verdict === 'DENY' && !answersStageBefore(decision, parts)

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
    return draftDecision(name, position, subjectOfAnswer(approval), nothingAsked(reason, now), now)
  }
  // What was allowed minutes ago may not be any more: a key was revoked, or a decision lapsed while the human thought.
  const question = asInput(open)
  const input = verifyInput(question, name, context, parts)
  if (!input.ok) return draftDecision(name, position, unverifiedSubject(question, parts), deny(input.reason, input.detail), now)
  const subject = subjectOf(input.value, open.decision.statements)
  try {
    const judged = await judgeAnswer(open, { approval, bytes }, input.value, { ...context, trust: parts.trust })
    return draftDecision(name, position, { ...subject, approvals: judged.approvals }, judged.verdict, now)
  } catch (error) {
    parts.alarm(error, position)
    const verdict = stillOpen('internal-error', open.escalation)
    return draftDecision(name, position, { ...subject, approvals: open.decision.approvals }, verdict, now)
  }
}

const nothingAsked = (reason: AnswerReason, now: number): Verdict<AnswerReason> => ({
  verdict: 'ESCALATE',
  reasons: [reason],
  obligations: {},
  expiresAt: now,
})

/** The decision of semantic-bounds that an ESCALATE of ours answered, as it came. */
function asInput({ decision, position }: OpenRequest): Incoming<'Decision'> {
  const record = { ...decision, statements: decision.statements.slice(0, -1) }
  const eventId = (statementOf(record)?.eventId ?? '') as Decision['eventId']
  return { position, key: decision.jobId, record: { ...record, eventId, approvals: [] }, bytes: Buffer.alloc(0) }
}

/** An answer that nothing was asked for: all that is known is what it says itself, within the bounds of a statement. */
function subjectOfAnswer({ intentId, jobId }: Approval): Subject {
  const none = Buffer.alloc(0)
  const intent: Intent = {
    intentId: intentId.slice(0, 64) as IntentId,
    jobId: jobId.slice(0, 128) as JobId,
    device: '' as Intent['device'],
    capability: '',
    command: none,
    program: null,
    tokens: [],
    proof: '',
  }
  return { intent, intentBytes: none, commandDigest: digest(none) as CommandDigest, before: [], statements: [], approvals: [] }
}
