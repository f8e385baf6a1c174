import { randomUUID } from 'node:crypto'
import { type AssertionKind, assertionTypeOf, type SigningKey, signJws, x5cOf } from '@interlock/trust'

/** Seconds: an assertion is for one request. */
const validity = 60

/**
 * Proves an agent to the token service at `issuer`: a JWT by the key of its SVID, for one use (RFC 7523). As a `client` it asks itself. One
 * of kind `actor` a sub-agent gives to its orchestrator as `actor_token`: who has it cannot ask in the sub-agent's name. The key may live in a TPM. `about` are claims
 * beside, which bind it to one request where the server asks for that.
 */
export function signAgentAssertion(
  key: SigningKey,
  issuer: string,
  kind: AssertionKind,
  now = Date.now(),
  about: Readonly<Record<string, string>> = {},
): Promise<string> {
  const iat = Math.floor(now / 1000)
  const claims = { ...about, iss: key.spiffeId, sub: key.spiffeId, aud: issuer, jti: randomUUID(), iat, exp: iat + validity }
  return signJws({ typ: assertionTypeOf(kind), x5c: x5cOf(key.chain) }, claims, key)
}
