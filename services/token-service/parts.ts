import type { Consent, RevocationEntry, StandingGrant, TaskTokenClaims } from '@interlock/contracts'
import type { AgentTables, SigningKey, SingleUse, TrustAnchors } from '@interlock/trust'
import type { GrantRequests } from './grant-requests.ts'
import type { IssuedTokens } from './issued-tokens.ts'
import type { StandingGrants } from './standing-grants.ts'

/** Where what was issued or revoked is kept; a promise that resolves means that it is. */
export interface TokenLog {
  issued(claims: TaskTokenClaims, signingInput: string): Promise<void>
  /** A standing grant, as `recordOfStandingGrant` lays it out. */
  stands(grant: StandingGrant, consent: Consent, record: string): Promise<void>
  revoked(entry: RevocationEntry): Promise<void>
}

/** What the endpoints work with. */
export type Parts = {
  /** RFC 8414 issuer: the URL by which clients know us, and the one audience of their assertions. */
  readonly issuer: string
  /** Where clients come by mutual TLS; nowhere where it is left out. */
  readonly mtls?: { readonly url: string } | undefined
  /** Signs the tokens; its SPIFFE ID is their `iss`. */
  readonly key: SigningKey
  readonly anchors: TrustAnchors
  readonly tables: AgentTables
  readonly issued: IssuedTokens
  readonly standing: StandingGrants
  readonly requests: GrantRequests
  /** Assertions and DPoP proofs that were used. */
  readonly used: SingleUse
  readonly log: TokenLog
  /** Milliseconds since 1970. */
  readonly now: () => number
  /** When this process began to remember what was used. */
  readonly startedAt: number
}
