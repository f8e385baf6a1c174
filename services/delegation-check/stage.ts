import type { Stage } from '@interlock/enforcer'
import { type DelegationCheckReason, decide } from './decide.ts'

/** Remembers nothing: what was delegated is all in the tokens and the tables. */
export const stage: Stage<null, DelegationCheckReason> = {
  name: 'delegation-check',
  input: 'decisions.identity-verify',
  output: 'decisions.delegation-check',
  tables: ['control.agents', 'control.revocations'],
  horizonMs: 15 * 60_000,
  remember: () => null,
  fold: () => {},
  forget: () => {},
  decide,
}
