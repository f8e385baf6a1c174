import { randomUUID } from 'node:crypto'
import type { ControlStatement } from '@interlock/contracts'
import { canonicalBytes, digest, type SigningKey, signJws } from '@interlock/trust'
import { verification } from './event-types.ts'
import type { Receiver } from './receivers.ts'
import type { SecurityEvent } from './security-event.ts'

/** A signed SET (RFC 8417), as it is handed out. */
export type SecurityEventToken = { readonly jti: string; readonly text: string }

export type Signer = { readonly issuer: string; readonly key: SigningKey }

/** RFC 8417 §2.2; SSF 1.0 §4.1: the subject stands beside the one event, and there is neither `sub` nor `exp`. */
function sign(claims: { readonly jti: string } & Readonly<Record<string, unknown>>, audience: string, { issuer, key }: Signer) {
  return signJws({ typ: 'secevent+jwt', kid: key.keyId }, { iss: issuer, aud: audience, ...claims }, key)
}

/** Of one entry always the same `jti` for a receiver, whenever it is made: it tells what it has by it (RFC 8417 §2.2). */
export async function entryToken(
  statement: ControlStatement,
  { type, subject, payload }: SecurityEvent,
  { id: stream, audience }: Pick<Receiver, 'id' | 'audience'>,
  signer: Signer,
): Promise<SecurityEventToken> {
  const { table, id, revision, updatedAt } = statement
  const jti = digest(canonicalBytes([stream, table, id, revision]))
  const claims = { jti, iat: Math.floor(updatedAt / 1000), txn: id, sub_id: subject, events: { [type]: payload } }
  return { jti, text: await sign(claims, audience, signer) }
}

/** SSF 1.0 §8.1.4: says that the stream works. `nowMs` in milliseconds since 1970. */
export async function verificationToken(
  state: string | undefined,
  nowMs: number,
  { id: stream, audience }: Pick<Receiver, 'id' | 'audience'>,
  signer: Signer,
): Promise<SecurityEventToken> {
  const jti = randomUUID()
  const events = { [verification]: state === undefined ? {} : { state } }
  const claims = { jti, iat: Math.floor(nowMs / 1000), sub_id: { format: 'opaque', id: stream }, events }
  return { jti, text: await sign(claims, audience, signer) }
}
