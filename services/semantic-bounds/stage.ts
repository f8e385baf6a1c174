import { deny, type Stage } from '@interlock/enforcer'
import { BoundsPolicies } from '@interlock/policy'
import type { ProgramStore } from '@interlock/programs'
import { confirm } from './authzen/confirm.ts'
import type { DecisionPoint, DecisionPointReason } from './authzen/decision-point.ts'
import { type BoundsReason, decide } from './decide.ts'
import { horizonMs } from './job-memory.ts'
import { BoundsMemory } from './memory.ts'
import { NewestPolicy } from './newest-policy.ts'
import { recall } from './recall.ts'
import { type ProgramFetchReason, withProgram } from './stored-program.ts'

type Reason = BoundsReason | ProgramFetchReason | DecisionPointReason

/**
 * `programs` is where large programs lie; without it only small ones, inside their intents, can be judged. `point` asks an external decision point, where
 * the policies name one.
 */
export function semanticBounds(point: DecisionPoint, programs?: ProgramStore): Stage<BoundsMemory, Reason> {
  const policies = new BoundsPolicies()
  const newestPolicy = new NewestPolicy()
  return {
    name: 'semantic-bounds',
    input: 'decisions.delegation-check',
    output: 'decisions.semantic-bounds',
    tables: ['control.devices', 'control.policies', 'control.revocations'],
    horizonMs,
    // What becomes of a command decides what of its budget is given back.
    memories: ['receipts', 'decisions.approval-router', 'decisions.device-dispatch'],
    remember: () => new BoundsMemory(newestPolicy),
    fold: (memory, decision) => memory.add(decision),
    recall: ({ jobs }, incoming, verifier) => recall(jobs, incoming, verifier),
    forget: (memory, now) => memory.forget(now),
    decide: async (input, context) => {
      const whole = await withProgram(input, context, programs)
      if (!whole.ok) return deny(whole.reason, whole.detail)
      return confirm(decide(whole.value, context, policies), input, context, point)
    },
  }
}
