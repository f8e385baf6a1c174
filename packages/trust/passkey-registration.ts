import { accepted, type Human, type Result, refused } from '@interlock/contracts'
import { verifyRegistrationResponse } from '@simplewebauthn/server'
import { z } from 'zod'
import { digest } from './digest.ts'
import {
  type OperatorStatementContext,
  type OperatorStatementReason,
  operatorClaims,
  signOperatorStatement,
  verifyOperatorStatement,
} from './operator-statement.ts'
import type { SigningKey } from './signing-key.ts'

const typ = 'passkey-invitation+jwt'
const validityMsMax = 86_400_000
const invitationSchema = operatorClaims({ human: z.string().min(1).max(256) })

/** An operator's word that a human may bring a passkey within a day. The digest of its text is the challenge of the ceremony. */
export type PasskeyInvitation = z.infer<typeof invitationSchema>

const base64url = z.string().regex(/^[A-Za-z0-9_-]+$/)
/** What the page exports: the invitation and what the authenticator made of it (WebAuthn L3 §5.8.1.1), without what is not needed. */
export const passkeyRegistrationSchema = z.strictObject({
  invitation: z.string().max(4096),
  registration: z.object({
    id: base64url.max(1400),
    type: z.literal('public-key'),
    response: z.object({ clientDataJSON: base64url.max(11_000), attestationObject: base64url.max(22_000) }),
  }),
})
export type PasskeyRegistration = z.infer<typeof passkeyRegistrationSchema>

export type RegistrationReason = `invitation-${OperatorStatementReason}` | 'registration'

/** COSE: EdDSA and ES256, what assertions are verified by. */
const algorithms = [-8, -7]

export function signPasskeyInvitation(claims: PasskeyInvitation, key: SigningKey): Promise<string> {
  return signOperatorStatement(typ, claims, key)
}

/**
 * A credential that an invited human's authenticator made for us, user verified (WebAuthn L3 §7.1). Which make of authenticator it is nobody
 * vouches for: attestation is not asked for, and `none` is good (ATTACKS 83 would be a policy of approvals).
 */
export async function verifyPasskeyRegistration(
  { invitation, registration }: PasskeyRegistration,
  context: OperatorStatementContext,
): Promise<Result<{ readonly human: string; readonly credential: Human['credentials'][number] }, RegistrationReason>> {
  const invited = verifyOperatorStatement(invitation, { typ, schema: invitationSchema, validityMsMax }, context)
  if (!invited.ok) return refused(`invitation-${invited.reason}`, invited.detail)
  const credential = await credentialOf(registration, digest(Buffer.from(invitation)), context.anchors.webauthn)
  return credential ? accepted({ human: invited.value.human, credential }) : refused('registration')
}

async function credentialOf(
  { id, type, response }: PasskeyRegistration['registration'],
  expectedChallenge: string,
  { origins, rpId }: OperatorStatementContext['anchors']['webauthn'],
): Promise<Human['credentials'][number] | undefined> {
  try {
    // As with assertions: made inside somebody else's page it is none, and the library leaves that to us (ATTACKS 81).
    const clientData = JSON.parse(Buffer.from(response.clientDataJSON, 'base64url').toString('utf8')) as Record<string, unknown>
    if (clientData.crossOrigin === true || 'topOrigin' in clientData) return undefined
    const { verified, registrationInfo } = await verifyRegistrationResponse({
      response: { id, rawId: id, type, response, clientExtensionResults: {} },
      expectedChallenge,
      expectedOrigin: [...origins],
      expectedRPID: rpId,
      requireUserVerification: true,
      supportedAlgorithmIDs: algorithms,
    })
    if (!verified || !registrationInfo) return undefined
    const { credential, credentialDeviceType } = registrationInfo
    const publicKey = Buffer.from(credential.publicKey).toString('base64url')
    return { id: credential.id, publicKey, backupEligible: credentialDeviceType === 'multiDevice' }
  } catch {
    return undefined
  }
}
