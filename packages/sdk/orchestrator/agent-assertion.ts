import { randomUUID } from 'node:crypto'
import { type SigningKey, signJws, x5cOf } from '@interlock/trust'

/** Seconds: an assertion is for one request. */
const validity = 60

/**
 * Proves an agent to the token service at `issuer`: a JWT by the key of its SVID, for one use (RFC 7523). A sub-agent gives one to its orchestrator as
 * `actor_token`. The key may live in a TPM. `about` are claims beside, which bind it to one request where the server asks for that.
 */
export function signAgentAssertion(
  key: SigningKey,
  issuer: string,
  now = Date.now(),
  about: Readonly<Record<string, string>> = {},
): Promise<string> {
  const iat = Math.floor(now / 1000)
  const claims = { ...about, iss: key.spiffeId, sub: key.spiffeId, aud: issuer, jti: randomUUID(), iat, exp: iat + validity }
  return signJws({ typ: 'JWT', x5c: x5cOf(key.chain) }, claims, key)
}
