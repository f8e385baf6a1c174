import type { CommandDigest, ControlTable, Decision, Intent, IntentId } from '@interlock/contracts'
import { digest, type SigningKey } from '@interlock/trust'
import { draftDecision, type Subject, subjectOf } from './decision.ts'
import { isDecisionOf, isGenuine, signedEventId } from './genuine.ts'
import type { Incoming, Processor, ReactionContext } from './processor.ts'
import { sealDecisions } from './seal.ts'
import { deny, type Stage, type Verdict } from './stage.ts'
import { type InputReason, type Verifier, verifyInput, verifyIntent } from './stage-input.ts'

/** What a stage gets from the process it runs in. */
export type EnforcerParts = Verifier & {
  readonly key: SigningKey
  /** Told of an exception in a decision, which became a DENY. */
  readonly alarm: (error: unknown, position: Incoming['position']) => void
}

/**
 * Layer 2 of the runner: a stage's pure `decide` becomes a processor. It verifies the input, lets the stage decide, writes
 * exactly one decision for each intent or ALLOW that reaches it, and folds its own decisions into the stage's memory.
 */
export function enforce<Memory, Reason extends string>(stage: Stage<Memory, Reason>, parts: EnforcerParts): Processor<Memory> {
  return {
    name: stage.name,
    inputs: [stage.input],
    outputs: [stage.output],
    memories: stage.memories ?? [],
    broadcasts: [],
    // Revoked enforcer keys must be known wherever a chain is verified.
    tables: [...new Set<ControlTable>([...stage.tables, 'control.revocations'])],
    horizonMs: stage.horizonMs,
    remember: () => stage.remember(),
    eventOf: (incoming) => signedEventId(incoming.record),
    observe(memory, incoming) {
      const { topic } = incoming.position
      if (topic === stage.input) return true
      // Who can write to the topic must not be able to fill a memory (budgets, replays): only what a stage signed is remembered.
      if (topic !== stage.output) {
        if (!isGenuine(incoming, parts)) return false
        stage.recall?.(memory, incoming, parts)
        return true
      }
      if (!isDecisionOf(stage.name, incoming, parts)) return false
      stage.fold(memory, incoming.record as Decision)
      return true
    },
    async react(memory, incoming, context) {
      if ('verdict' in incoming.record && incoming.record.verdict !== 'ALLOW') return []
      const decision = await decideOn(stage, memory, incoming, context, parts)
      return [{ topic: stage.output, key: incoming.key, record: decision }]
    },
    forget: (memory, now) => stage.forget(memory, now),
    seal: (writes) => sealDecisions(writes, parts.key),
  }
}

/** Verifies an input, lets the stage decide, and drafts the decision: exactly one for each input, whatever the input is. */
export async function decideOn<Memory, Reason extends string>(
  stage: Pick<Stage<Memory, Reason>, 'name' | 'decide'>,
  memory: Memory,
  incoming: Incoming,
  context: ReactionContext,
  parts: Omit<EnforcerParts, 'key'>,
): Promise<Decision> {
  const { position } = incoming
  const input =
    'verdict' in incoming.record
      ? verifyInput(incoming as Incoming<'Decision'>, stage.name, context, parts)
      : verifyIntent(incoming as Incoming<'Intent'>)
  if (!input.ok) {
    const refusal: Verdict<InputReason> = deny(input.reason, input.detail)
    return draftDecision(stage.name, position, unverifiedSubject(incoming, parts), refusal, context.now)
  }
  const before = 'verdict' in incoming.record ? (incoming as Incoming<'Decision'>).record.statements : []
  const subject = subjectOf(input.value, before)
  let verdict: Verdict<Reason | 'internal-error'>
  try {
    verdict = await stage.decide(input.value, { ...context, trust: parts.trust, memory })
  } catch (error) {
    // Fail closed: what a decision did not foresee is a no, and somebody is told.
    parts.alarm(error, position)
    verdict = deny('internal-error')
  }
  return draftDecision(stage.name, position, subject, verdict, context.now)
}

/** What can be read of an input that did not verify. Its bytes are kept whole; its flat fields are the writer's word. */
export function unverifiedSubject(incoming: Incoming, { codec }: Pick<Verifier, 'codec'>): Subject {
  if (!('verdict' in incoming.record)) return subjectOfIntent(incoming.record as Intent, incoming.bytes)
  const decision = incoming.record
  const decoded = codec.decode('intents', decision.intent, 'Intent')
  const intent = decoded.ok ? decoded.value : { ...flatIntent(decision), command: decision.intent }
  return {
    ...subjectOfIntent(intent, decision.intent),
    before: decision.statements.slice(0, 5),
    approvals: decision.approvals.slice(0, 16),
  }
}

function subjectOfIntent(intent: Intent, intentBytes: Buffer): Subject {
  return {
    intent,
    intentBytes,
    commandDigest: digest(intent.command) as CommandDigest,
    before: [],
    statements: [],
    approvals: [],
  }
}

function flatIntent(decision: Decision): Omit<Intent, 'command'> {
  const { jobId, device, capability } = decision
  return { intentId: decision.intentId as IntentId, jobId, device, capability, program: null, tokens: [], proof: '' }
}
