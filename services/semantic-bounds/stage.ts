import { deny, type Stage } from '@interlock/enforcer'
import { BoundsPolicies } from '@interlock/policy'
import type { ProgramStore } from '@interlock/programs'
import { horizonMs } from './counts.ts'
import { type BoundsReason, decide } from './decide.ts'
import { BoundsMemory } from './memory.ts'
import { type ProgramFetchReason, withProgram } from './stored-program.ts'

/** `programs` is where large programs lie; without it only small ones, inside their intents, can be judged. */
export function semanticBounds(programs?: ProgramStore): Stage<BoundsMemory, BoundsReason | ProgramFetchReason> {
  const policies = new BoundsPolicies()
  return {
    name: 'semantic-bounds',
    input: 'decisions.delegation-check',
    output: 'decisions.semantic-bounds',
    tables: ['control.devices', 'control.policies', 'control.revocations'],
    horizonMs,
    remember: () => new BoundsMemory(),
    fold: (memory, decision) => memory.add(decision),
    forget: (memory, now) => memory.forget(now),
    decide: async (input, context) => {
      const whole = await withProgram(input, context, programs)
      return whole.ok ? decide(whole.value, context, policies) : deny(whole.reason, whole.detail)
    },
  }
}
