import type { TaskTokenClaims } from '@interlock/contracts'
import { readTaskToken, signTaskToken } from '@interlock/trust'
import { OAuthError } from './oauth-error.ts'
import type { Parts } from './parts.ts'

/** RFC 8693 §3. */
export const tokenType = 'urn:ietf:params:oauth:token-type:jwt'

/** RFC 6749 §5.1, RFC 8693 §2.2.1, RFC 9396 §7. */
export type TokenAnswer = {
  readonly access_token: string
  readonly issued_token_type: typeof tokenType
  readonly token_type: 'Bearer' | 'DPoP'
  /** Seconds. */
  readonly expires_in: number
  readonly authorization_details: TaskTokenClaims['authorization_details']
}

/** What RFC 8705 §3 binds is called Bearer, though of no use to one: `cnf` names the certificate. What is bound by a proof, too, DPoP (RFC 9449 §5). */
export const tokenTypeOf = ({ cnf }: Pick<TaskTokenClaims, 'cnf'>): TokenAnswer['token_type'] =>
  cnf.jkt === undefined ? 'Bearer' : 'DPoP'

/** Living tokens of one job: an agent in a loop must not fill the memory of all. */
export const tokensOfJobMax = 1000

/** Signs a token and hands it out once it is recorded: what was not recorded was not issued. */
export async function issue(claims: TaskTokenClaims, parts: Parts): Promise<TokenAnswer> {
  const { issued } = parts
  if (issued.countOf(claims.job) >= tokensOfJobMax) throw new OAuthError('temporarily_unavailable', 'too many tokens of one job')
  if (claims.parent !== undefined) return record(claims, parts)
  // Asked again, since it was first asked when the human had not signed yet.
  if (!issued.reserve(claims)) throw new OAuthError('invalid_grant', 'the job is another’s')
  try {
    return await record(claims, parts)
  } finally {
    issued.release(claims)
  }
}

async function record(claims: TaskTokenClaims, { key, log, issued, now }: Parts): Promise<TokenAnswer> {
  const token = await signTaskToken(claims, { kid: key })
  // What no verifier could read is not issued: a token may grow beyond what they take.
  const read = readTaskToken(token)
  if (!read.ok) throw new OAuthError('invalid_authorization_details', read.reason)
  const signingInput = token.slice(0, token.lastIndexOf('.'))
  await log.issued(claims, signingInput)
  issued.add(signingInput, now())
  return {
    access_token: token,
    issued_token_type: tokenType,
    token_type: tokenTypeOf(claims),
    expires_in: claims.exp - claims.iat,
    authorization_details: claims.authorization_details,
  }
}
