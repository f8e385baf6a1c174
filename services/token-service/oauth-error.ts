/** Error codes of RFC 6749 §5.2, RFC 8628 §3.5, RFC 9396 §5, RFC 8693 §2.2.2 and RFC 9449 §5. */
export type OAuthErrorCode =
  | 'invalid_request'
  | 'invalid_client'
  | 'invalid_grant'
  | 'invalid_scope'
  | 'invalid_dpop_proof'
  | 'unauthorized_client'
  | 'unsupported_grant_type'
  | 'invalid_target'
  | 'invalid_authorization_details'
  | 'authorization_pending'
  | 'slow_down'
  | 'access_denied'
  | 'expired_token'
  | 'temporarily_unavailable'

/**
 * What a client is told. `cause` is for our log alone: which part of a credential was wrong helps who guesses, so that all ways to be no
 * client, and all ways to hold no token, look alike outside.
 */
export class OAuthError extends Error {
  readonly code: OAuthErrorCode
  readonly status: 400 | 401 | 503

  constructor(code: OAuthErrorCode, cause: string) {
    super(code, { cause })
    this.name = 'OAuthError'
    this.code = code
    this.status = code === 'invalid_client' ? 401 : code === 'temporarily_unavailable' ? 503 : 400
  }
}
