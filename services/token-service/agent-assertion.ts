import {
  type AgentTables,
  type AssertionKind,
  type SingleUse,
  type Svid,
  standingRefusal,
  type TrustAnchors,
  verifyAgentAssertion as verify,
} from '@interlock/trust'
import { OAuthError } from './oauth-error.ts'
import { forgottenUse } from './remembered.ts'

export const clockSkewMs = 30_000

export type AssertionContext = {
  readonly issuer: string
  readonly anchors: TrustAnchors
  readonly tables: AgentTables
  readonly used: SingleUse
  /** When this process began to remember what was used, milliseconds since 1970. */
  readonly startedAt: number
  readonly now: number
}

/**
 * An agent that says who it is, stands by the tables, and says it for the first time: as the client that asks, or as the actor for whom another asks.
 * @throws OAuthError
 */
export function verifyAgentAssertion(text: string, context: AssertionContext, kind: AssertionKind): Svid {
  const { issuer, anchors, tables, used, startedAt, now } = context
  const refuse = (cause: string) => new OAuthError(kind === 'client' ? 'invalid_client' : 'invalid_grant', cause)
  const said = verify(text, { audience: issuer, kind, anchors, now, skewMs: clockSkewMs })
  if (!said.ok) throw refuse(said.reason)
  const { agent, jti, issuedAt, until } = said.value
  const forgotten = forgottenUse(issuedAt, { now, startedAt })
  if (forgotten) throw refuse(forgotten)
  const fallen = standingRefusal(agent, tables, now)
  if (fallen) throw refuse(fallen)
  if (!used.take(agent.spiffeId, jti, until, now)) throw refuse('replayed')
  return agent
}
