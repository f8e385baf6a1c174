import { isRevoked, type OperatorStatementContext } from '@interlock/trust'
import { clockSkewMs, type Parts } from './parts.ts'

/** What an operator's statement is verified with here, now. */
export function operatorContext({ anchors, now, revocations }: Parts): OperatorStatementContext {
  const isRevokedKey = (keyId: string) => isRevoked([`enforcer-key:${keyId}`], { revocations: revocations() }, now())
  return { anchors, now: now(), skewMs: clockSkewMs, isRevokedKey }
}
