import { createHash, createPrivateKey, sign } from 'node:crypto'
import type { Approval, ApprovalRequest } from '@interlock/contracts'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { canonicalBytes } from '@interlock/trust'

/** What is to be different from a good assertion; it is signed after the change. */
export type AssertionPlan = {
  readonly clientData?: Record<string, unknown>
  readonly rpId?: string
  readonly flags?: number
  readonly credentialId?: string
}

const sha256 = (data: string | Uint8Array) => createHash('sha256').update(data).digest()

/** A human's answer by an authenticator that does as it is told (WebAuthn L3 §6.3.3), so that each check can be the only one in the way. */
export function answerWith(passkey: SoftwarePasskey, request: ApprovalRequest, plan: AssertionPlan = {}): Approval {
  const bytes = canonicalBytes(request)
  const clientData = {
    type: 'webauthn.get',
    challenge: sha256(bytes).toString('base64url'),
    origin: passkey.origin,
    crossOrigin: false,
    ...plan.clientData,
  }
  const clientDataJson = Buffer.from(JSON.stringify(clientData))
  const authenticatorData = Buffer.concat([sha256(plan.rpId ?? passkey.rpId), Buffer.of(plan.flags ?? 0x05), Buffer.alloc(4)])
  const key = createPrivateKey({ key: passkey.privateKey, format: 'jwk' })
  return {
    approvalId: 'answer-1',
    intentId: request.intentId as Approval['intentId'],
    jobId: request.jobId as Approval['jobId'],
    human: request.human,
    answer: request.answer,
    request: bytes,
    credentialId: plan.credentialId ?? passkey.credentialId,
    authenticatorData,
    clientDataJson,
    signature: sign('sha256', Buffer.concat([authenticatorData, sha256(clientDataJson)]), key),
  }
}
