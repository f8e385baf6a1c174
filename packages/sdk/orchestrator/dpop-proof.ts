import { randomUUID, X509Certificate } from 'node:crypto'
import { digest, type SigningKey, signJws } from '@interlock/trust'

export type DpopRequest = {
  readonly method: string
  /** URL of the request; query and fragment are not part of the proof. */
  readonly url: string
  /** Where a token comes with it. */
  readonly accessToken?: string
  /** Where the server gave one out (RFC 9449 §8). */
  readonly nonce?: string
  /** Milliseconds since 1970. */
  readonly now?: number
}

/** Proves for one request that the sender has the key of its SVID (RFC 9449 §4.2). The key may live in a TPM. */
export function signDpopProof(
  key: SigningKey,
  { method, url, accessToken, nonce, now = Date.now() }: DpopRequest,
): Promise<string> {
  const { origin, pathname } = new URL(url)
  const leaf = new X509Certificate(key.chain[0] as Buffer)
  const jwk = leaf.publicKey.export({ format: 'jwk' })
  const claims = {
    jti: randomUUID(),
    htm: method,
    htu: `${origin}${pathname}`,
    iat: Math.floor(now / 1000),
    ...(accessToken !== undefined && { ath: digest(Buffer.from(accessToken)) }),
    ...(nonce !== undefined && { nonce }),
  }
  return signJws({ typ: 'dpop+jwt', jwk }, claims, key)
}
