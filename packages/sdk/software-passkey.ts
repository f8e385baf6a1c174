import { createHash, createPrivateKey, generateKeyPairSync, sign } from 'node:crypto'
import type { Human } from '@interlock/contracts'
import { z } from 'zod'

/**
 * A passkey in a file: a WebAuthn authenticator for command lines and tests. Its assertions are real (WebAuthn L3 §6.3.3,
 * ES256), what it lacks is hardware: whoever can read the file can approve.
 */
export const softwarePasskeySchema = z.strictObject({
  human: z.string().max(256),
  rpId: z.string().max(255),
  origin: z.string().max(400),
  /** base64url */
  credentialId: z.string().regex(/^[A-Za-z0-9_-]{22,}$/),
  privateKey: z.strictObject({ kty: z.literal('EC'), crv: z.literal('P-256'), x: z.string(), y: z.string(), d: z.string() }),
})
export type SoftwarePasskey = z.infer<typeof softwarePasskeySchema>

export type Assertion = { credentialId: string; authenticatorData: Buffer; clientDataJson: Buffer; signature: Buffer }

export function createPasskey(human: string, rp: { rpId: string; origin: string }, credentialId: Buffer): SoftwarePasskey {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const { x, y, d } = privateKey.export({ format: 'jwk' }) as { x: string; y: string; d: string }
  return { human, ...rp, credentialId: credentialId.toString('base64url'), privateKey: { kty: 'EC', crv: 'P-256', x, y, d } }
}

/** The credential as control.agents registers it. */
export function credentialOf(passkey: SoftwarePasskey): Human['credentials'][number] {
  return { id: passkey.credentialId, publicKey: coseKey(passkey).toString('base64url'), backupEligible: false }
}

/** Signs a challenge as a platform authenticator that has verified its user. */
export function assertWithPasskey(passkey: SoftwarePasskey, challenge: Uint8Array): Assertion {
  const clientDataJson = Buffer.from(
    JSON.stringify({
      type: 'webauthn.get',
      challenge: Buffer.from(challenge).toString('base64url'),
      origin: passkey.origin,
      crossOrigin: false,
    }),
  )
  const authenticatorData = Buffer.concat([sha256(passkey.rpId), Buffer.of(USER_PRESENT | USER_VERIFIED), Buffer.alloc(4)])
  const key = createPrivateKey({ key: passkey.privateKey, format: 'jwk' })
  const signature = sign('sha256', Buffer.concat([authenticatorData, sha256(clientDataJson)]), key)
  return { credentialId: passkey.credentialId, authenticatorData, clientDataJson, signature }
}

const USER_PRESENT = 0x01
const USER_VERIFIED = 0x04

/** RFC 9053 §7.1.1: {1: 2 (EC2), 3: -7 (ES256), -1: 1 (P-256), -2: x, -3: y} in CTAP2 canonical order. */
function coseKey({ privateKey: { x, y } }: SoftwarePasskey): Buffer {
  const coordinate = (label: number, value: string) =>
    Buffer.concat([Buffer.of(label, 0x58, 32), Buffer.from(value, 'base64url')])
  return Buffer.concat([Buffer.of(0xa5, 0x01, 0x02, 0x03, 0x26, 0x20, 0x01), coordinate(0x21, x), coordinate(0x22, y)])
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest()
