import type { Stage } from '@interlock/enforcer'
import { Counts, horizonMs } from './counts.ts'
import { type BoundsReason, decide } from './decide.ts'
import { Policies } from './policy.ts'

export function semanticBounds(): Stage<Counts, BoundsReason> {
  const policies = new Policies()
  return {
    name: 'semantic-bounds',
    input: 'decisions.delegation-check',
    output: 'decisions.semantic-bounds',
    tables: ['control.devices', 'control.policies', 'control.revocations'],
    horizonMs,
    remember: () => new Counts(),
    fold: (memory, decision) => memory.add(decision),
    forget: (memory, now) => memory.forget(now),
    decide: (input, context) => decide(input, context, policies),
  }
}
