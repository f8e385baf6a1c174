import { createPublicKey, type KeyObject } from 'node:crypto'
import { z } from 'zod'
import { canonicalBytes } from './canonical.ts'
import { digest } from './digest.ts'
import { algorithmOf } from './signing-key.ts'

const coordinate = z.string().regex(/^[A-Za-z0-9_-]{42}[AEIMQUYcgkosw048]$/)
const about = { use: z.literal('sig').optional(), alg: z.string().optional(), key_ops: z.array(z.string()).optional() }
const publicKeySchema = z.discriminatedUnion('kty', [
  z.object({ kty: z.literal('EC'), crv: z.literal('P-256'), x: coordinate, y: coordinate, ...about }),
  z.object({ kty: z.literal('OKP'), crv: z.literal('Ed25519'), x: coordinate, ...about }),
])
/** RFC 7518 §6: of EC, RSA and symmetric keys. Who shows one has lost it. */
const privateMembers = ['d', 'p', 'q', 'dp', 'dq', 'qi', 'oth', 'k']

/** A public key as its sender wrote it (RFC 7517), for verifying signatures of our algorithms; undefined for any other, and for a private one. */
export function readPublicJwk(jwk: unknown): KeyObject | undefined {
  const read = publicKeySchema.safeParse(jwk)
  if (!read.success || privateMembers.some((name) => Object.hasOwn(jwk as object, name))) return undefined
  const { use: _, alg, key_ops: operations, ...key } = read.data
  try {
    const publicKey = createPublicKey({ key, format: 'jwk' })
    // What the key says that it is for must be what it is used for here (RFC 8725 §3.1).
    const isForThis = (alg ?? algorithmOf(publicKey)) === algorithmOf(publicKey) && (operations?.includes('verify') ?? true)
    return isForThis ? publicKey : undefined
  } catch {
    // A point that is not on its curve.
    return undefined
  }
}

/** RFC 7638: base64url SHA-256 of the key's required members, which names it however it was written. */
export function jwkThumbprint(publicKey: KeyObject): string {
  const { kty, crv, x, y } = publicKey.export({ format: 'jwk' })
  return digest(canonicalBytes({ kty, crv, x, ...(y !== undefined && { y }) }))
}
