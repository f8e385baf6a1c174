import type { AskedGrant, Consent } from '@interlock/contracts'
import { canonicalBytes, digest } from '@interlock/trust'
import { assertWithPasskey, type SoftwarePasskey } from './software-passkey.ts'

/** A human's consent to a grant, or a standing one, by a passkey in a file: what a browser does on the token service's page. */
export function signConsent(request: AskedGrant, passkey: SoftwarePasskey): Consent {
  const bytes = canonicalBytes(request)
  const { credentialId, authenticatorData, clientDataJson, signature } = assertWithPasskey(
    passkey,
    Buffer.from(digest(bytes), 'base64url'),
  )
  return {
    request: bytes.toString('base64url'),
    credentialId,
    authenticatorData: authenticatorData.toString('base64url'),
    clientDataJson: clientDataJson.toString('base64url'),
    signature: signature.toString('base64url'),
  }
}
