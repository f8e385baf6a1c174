import type { Intent } from '@interlock/contracts'

/** What a JWT says of itself, unread by any verifier. Empty where it cannot be read: audit takes any intent, however broken. */
function claimOf(token: string | undefined, claim: string): string {
  const payload = token?.split('.')[1]
  if (payload === undefined || payload.length > 65_536) return ''
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString())
    const value = (claims as Record<string, unknown> | null)?.[claim]
    return typeof value === 'string' ? value : ''
  } catch {
    return ''
  }
}

/** The human and the agent that an intent names. Claims, not identity: identity-verify and delegation-check decide. */
export function claimedPrincipals(intent: Intent): { human: string; agent: string } {
  return { human: claimOf(intent.tokens[0], 'sub'), agent: claimOf(intent.proof, 'iss') }
}
