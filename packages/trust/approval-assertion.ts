import {
  type Approval,
  type ApprovalRequest,
  accepted,
  approvalRequestSchema,
  type Human,
  type Result,
  refused,
} from '@interlock/contracts'
import { verifyAuthenticationResponse } from '@simplewebauthn/server'
import { parseCanonical } from './canonical.ts'
import { digest } from './digest.ts'

export type ApprovalReason = 'malformed' | 'mismatch' | 'unknown-credential' | 'assertion' | 'backup-changed' | 'expired'

export type ApprovalToVerify = {
  readonly approval: Approval
  /** The human's entry in control.agents: only its credentials count. */
  readonly human: Human
  readonly expected: { readonly rpId: string; readonly origins: readonly string[] }
  readonly now: number
}

/** A human with a registered passkey, verified by it, signed exactly this request and answer, in time (WebAuthn L3 §7.2). */
export async function verifyApproval({
  approval,
  human,
  expected,
  now,
}: ApprovalToVerify): Promise<Result<ApprovalRequest, ApprovalReason>> {
  const parsed = parseCanonical(approval.request, { bytesMax: 16_384, depthMax: 8 })
  const request = parsed.ok ? approvalRequestSchema.safeParse(parsed.value) : undefined
  if (!request?.success) return refused('malformed')
  const { intentId, jobId, answer, human: who, expiresAt } = request.data
  if (intentId !== approval.intentId || jobId !== approval.jobId || answer !== approval.answer) return refused('mismatch')
  if (who !== approval.human || who !== human.sub) return refused('mismatch', { human: who })
  if (now >= expiresAt) return refused('expired', { expiresAt })
  if (approval.authenticatorData.length > 4096 || approval.clientDataJson.length > 8192 || approval.signature.length > 1024)
    return refused('malformed')
  const credential = human.credentials.find(({ id }) => id === approval.credentialId)
  if (!credential) return refused('unknown-credential')
  const isCorrect = await verifies(approval, credential, expected)
  if (!isCorrect) return refused('assertion')
  // Flag BE (bit 3) never changes in a credential's life (WebAuthn L3 §6.1.3); a change means another authenticator.
  const isBackupEligible = ((approval.authenticatorData[32] as number) & 0x08) !== 0
  return isBackupEligible === credential.backupEligible ? accepted(request.data) : refused('backup-changed')
}

async function verifies(
  approval: Approval,
  credential: Human['credentials'][number],
  { rpId, origins }: ApprovalToVerify['expected'],
): Promise<boolean> {
  const text = (bytes: Buffer) => bytes.toString('base64url')
  try {
    // §7.2 step 13 ff.: an answer from inside somebody else's page is none, and the library leaves that to us (ATTACKS 81).
    const clientData = JSON.parse(approval.clientDataJson.toString('utf8')) as Record<string, unknown>
    if (clientData.crossOrigin === true || 'topOrigin' in clientData) return false
    const { verified } = await verifyAuthenticationResponse({
      response: {
        id: approval.credentialId,
        rawId: approval.credentialId,
        type: 'public-key',
        clientExtensionResults: {},
        response: {
          clientDataJSON: text(approval.clientDataJson),
          authenticatorData: text(approval.authenticatorData),
          signature: text(approval.signature),
        },
      },
      expectedChallenge: digest(approval.request),
      expectedOrigin: [...origins],
      expectedRPID: rpId,
      requireUserVerification: true,
      // Counters are left at zero by most passkeys and are not kept here: single use is by intent and request, not by counter.
      credential: { id: credential.id, publicKey: new Uint8Array(Buffer.from(credential.publicKey, 'base64url')), counter: 0 },
    })
    return verified
  } catch {
    return false
  }
}
