import type { Stage } from '@interlock/enforcer'
import { decide, type IdentityReason } from './decide.ts'
import { SeenIntents, seenForMs } from './seen-intents.ts'

export const stage: Stage<SeenIntents, IdentityReason> = {
  name: 'identity-verify',
  input: 'intents',
  output: 'decisions.identity-verify',
  tables: ['control.agents', 'control.devices', 'control.revocations', 'control.federation'],
  horizonMs: seenForMs,
  remember: () => new SeenIntents(),
  fold: (memory, decision) => memory.add(decision),
  forget: (memory, now) => memory.forget(now),
  decide,
}
