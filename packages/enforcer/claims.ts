import type { Intent } from '@interlock/contracts'

/** What an intent says of itself before anybody believes it: for the flat fields of a refusal, never for a decision. */
export type Claimed = { readonly human: string; readonly agent: string }

const lengthMax = 16_000

export function claimsOf(intent: Intent): Claimed {
  return { human: textMember(intent.tokens[0], 'sub', 256), agent: textMember(intent.proof, 'iss', 2048) }
}

/** A text member of an unverified JWS payload; empty where it cannot be read. */
function textMember(jws: string | undefined, member: string, max: number): string {
  const payload = jws?.slice(0, lengthMax).split('.')[1]
  if (!payload) return ''
  try {
    const claims = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8')) as unknown
    const value = typeof claims === 'object' && claims !== null ? (claims as Record<string, unknown>)[member] : undefined
    return typeof value === 'string' && value.length <= max ? value : ''
  } catch {
    return ''
  }
}
