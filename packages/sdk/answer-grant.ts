import { type AskedGrant, askedGrantSchema } from '@interlock/contracts'
import { canonicalBytes, digest } from '@interlock/trust'
import { assertWithPasskey, type SoftwarePasskey } from './software-passkey.ts'

/** The token service does not have this grant request, or did not take the answer. */
export class GrantAnswerError extends Error {
  readonly code = 'grant-not-answered'
  readonly retriable = false
}

/** What a human is asked to sign, as the token service shows it. @throws GrantAnswerError */
export async function readGrantRequest(verificationUri: string): Promise<AskedGrant> {
  const response = await fetch(verificationUri)
  if (!response.ok) throw new GrantAnswerError(`${verificationUri}: ${response.status}; the code is wrong, answered or over`)
  const read = askedGrantSchema.safeParse(((await response.json()) as { request?: unknown }).request)
  if (!read.success) throw new GrantAnswerError(`${verificationUri} shows no grant request`)
  return read.data
}

/** A human's no: the question is over. @throws GrantAnswerError */
export async function refuseGrant(verificationUri: string): Promise<void> {
  const response = await fetch(verificationUri, { method: 'DELETE' })
  if (!response.ok) throw new GrantAnswerError(`${verificationUri}: ${response.status}; the code is wrong, answered or over`)
}

/** A human's yes by a passkey in a file: what a browser does. Signs what was read and shown, not what the server has now. @throws GrantAnswerError */
export async function consentToGrant(verificationUri: string, shown: AskedGrant, passkey: SoftwarePasskey): Promise<void> {
  const challenge = Buffer.from(digest(canonicalBytes(shown)), 'base64url')
  const { credentialId, authenticatorData, clientDataJson, signature } = assertWithPasskey(passkey, challenge)
  const text = (bytes: Buffer) => bytes.toString('base64url')
  const response = await fetch(verificationUri, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      credentialId,
      authenticatorData: text(authenticatorData),
      clientDataJson: text(clientDataJson),
      signature: text(signature),
    }),
  })
  if (!response.ok) throw new GrantAnswerError(`the token service does not take the signature: ${await response.text()}`)
}
