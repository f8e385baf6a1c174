import { accepted, type Human, type Result, refused } from '@interlock/contracts'
import { verifyAuthenticationResponse } from '@simplewebauthn/server'

export type AssertionReason = 'malformed' | 'unknown-credential' | 'assertion' | 'backup-changed'

/** A WebAuthn assertion as its sender wrote it. */
export type Assertion = {
  readonly credentialId: string
  readonly authenticatorData: Buffer
  readonly clientDataJson: Buffer
  readonly signature: Buffer
}

export type AssertionToVerify = {
  readonly assertion: Assertion
  /** base64url digest of what the human was asked to sign. */
  readonly challenge: string
  /** The human's entry in control.agents or in a trust bundle: only its credentials count. */
  readonly human: Human
  readonly expected: { readonly rpId: string; readonly origins: readonly string[] }
}

/** A passkey registered for this human, which verified its user, signed this challenge at one of our origins (WebAuthn L3 §7.2). */
export async function verifyAssertion(asked: AssertionToVerify): Promise<Result<true, AssertionReason>> {
  const { assertion, human } = asked
  const { authenticatorData, clientDataJson, signature } = assertion
  if (authenticatorData.length > 4096 || clientDataJson.length > 8192 || signature.length > 1024) return refused('malformed')
  const credential = human.credentials.find(({ id }) => id === assertion.credentialId)
  if (!credential) return refused('unknown-credential')
  if (!(await verifies(asked, credential))) return refused('assertion')
  // Flag BE (bit 3) never changes in a credential's life (WebAuthn L3 §6.1.3); a change means another authenticator.
  const isBackupEligible = ((authenticatorData[32] as number) & 0x08) !== 0
  return isBackupEligible === credential.backupEligible ? accepted(true) : refused('backup-changed')
}

async function verifies(
  { assertion, challenge, expected }: AssertionToVerify,
  credential: Human['credentials'][number],
): Promise<boolean> {
  const text = (bytes: Buffer) => bytes.toString('base64url')
  try {
    // §7.2 step 13 ff.: an answer from inside somebody else's page is none, and the library leaves that to us (ATTACKS 81).
    const clientData = JSON.parse(assertion.clientDataJson.toString('utf8')) as Record<string, unknown>
    if (clientData.crossOrigin === true || 'topOrigin' in clientData) return false
    const { verified } = await verifyAuthenticationResponse({
      response: {
        id: assertion.credentialId,
        rawId: assertion.credentialId,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: text(assertion.clientDataJson),
          authenticatorData: text(assertion.authenticatorData),
          signature: text(assertion.signature),
        },
      },
      expectedChallenge: challenge,
      expectedOrigin: [...expected.origins],
      expectedRPID: expected.rpId,
      requireUserVerification: true,
      // Counters are left at zero by most passkeys and are not kept here: single use is by what was signed, not by counter.
      credential: { id: credential.id, publicKey: new Uint8Array(Buffer.from(credential.publicKey, 'base64url')), counter: 0 },
    })
    return verified
  } catch {
    return false
  }
}
