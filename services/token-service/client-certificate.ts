import { type Svid, standingRefusal, validateSvid } from '@interlock/trust'
import { clockSkewMs } from './agent-assertion.ts'
import { OAuthError } from './oauth-error.ts'
import type { Parts } from './parts.ts'

/**
 * The agent whose SVID a TLS client showed (RFC 8705 §2.1, `tls_client_auth`; registered by the URI name, which is its SPIFFE ID). TLS proved the
 * key, and no more: path, name, revocation and standing are ours to check, at each request and not once a connection (ATTACKS 123).
 * @throws OAuthError invalid_client
 */
export function verifyClientCertificate(chain: readonly Buffer[], { anchors, tables, now }: Parts): Svid {
  const agent = validateSvid(chain, anchors, now(), clockSkewMs)
  if (!agent.ok) throw new OAuthError('invalid_client', agent.reason)
  const fallen = standingRefusal(agent.value, tables, now())
  if (fallen) throw new OAuthError('invalid_client', fallen)
  return agent.value
}
