import type { Human, TaskTokenClaims } from '@interlock/contracts'
import { isRevoked, type JobTerms, verifyConsent } from '@interlock/trust'
import { clockSkewMs } from './agent-assertion.ts'
import { OAuthError } from './oauth-error.ts'
import type { Parts } from './parts.ts'

/** A human who may ask for jobs now. @throws OAuthError */
export function requester(sub: string, { tables, now }: Parts): Human {
  const entry = tables.agents.get(`human:${sub}`)
  const isThere = entry?.kind === 'human' && entry.state === 'active' && entry.roles.includes('requester')
  if (!isThere || isRevoked([`human:${sub}`], tables, now())) throw new OAuthError('access_denied', 'nobody who may request')
  return entry
}

/** What the human signed for a root token, by the rule that delegation-check and devices have. @throws OAuthError access_denied */
export async function consentedTo(root: TaskTokenClaims, parts: Parts): Promise<JobTerms> {
  const human = requester(root.sub, parts)
  const consent = await verifyConsent({ root, human, expected: parts.anchors.webauthn, skewMs: clockSkewMs })
  if (!consent.ok) throw new OAuthError('access_denied', consent.reason)
  return consent.value
}
