import { createHash } from 'node:crypto'
import { type Ack, accepted, type DeviceEntry, type Result, refused } from '@interlock/contracts'
import { type PreviousCounters, type TpmReason, type VerifiedQuote, verifyQuote } from '@interlock/tpm'
import { isCoseSignedBy, readCoseSign1 } from './cose/cose-sign1.ts'
import type { DiceReason } from './dice/dice-reason.ts'
import { diceContext, pinnedKey } from './dice/verify-dice.ts'

/** What signs an ack, and what its signature says of the device's state. A DICE has no clock and no counters: its key is its state. */
export type VerifiedDeviceSignature = { readonly kind: 'tpm'; readonly quote: VerifiedQuote } | { readonly kind: 'dice' }

type DiceAnswerReason = Extract<DiceReason, `answer-${string}` | 'leaf-key'>
export type DeviceSignatureReason = `quote-${TpmReason}` | `dice-${DiceAnswerReason}`

const coseBytesMax = 1024

/**
 * Whether an ack's statement is signed as the device is enrolled: by its entry, never by what the ack looks like. `previous` are the last
 * counters of the TPM's key that the ack says to be signed by. Pure.
 */
export function verifyDeviceSignature(
  ack: Pick<Ack, 'statement' | 'attest' | 'signature'>,
  { attestation }: Pick<DeviceEntry, 'attestation'>,
  previous: PreviousCounters | undefined,
): Result<VerifiedDeviceSignature, DeviceSignatureReason> {
  if (attestation.kind === 'dice') {
    const wrong = unsignedByLeaf(ack, attestation.leafKey)
    return wrong ? refused(`dice-${wrong}`) : accepted({ kind: 'dice' })
  }
  const quote = verifyQuote({
    attest: ack.attest,
    signature: ack.signature,
    attestationKey: Buffer.from(attestation.attestationKey, 'base64url'),
    expectedExtraData: createHash('sha256').update(ack.statement).digest(),
    pcrs: attestation.pcrs,
    pcrDigest: Buffer.from(attestation.pcrDigest, 'base64url'),
    ...(previous && { previous }),
  })
  return quote.ok ? accepted({ kind: 'tpm', quote: quote.value }) : refused(`quote-${quote.reason}`, quote.detail)
}

/** A COSE_Sign1 by the enrolled last layer's key over the statement, which is detached; nothing stands where a TPM's quote would. */
function unsignedByLeaf(
  { statement, attest, signature }: Pick<Ack, 'statement' | 'attest' | 'signature'>,
  leafKey: string,
): DiceAnswerReason | undefined {
  const key = pinnedKey(leafKey)
  if (!key) return 'leaf-key'
  const message = signature.length <= coseBytesMax ? readCoseSign1(signature) : undefined
  if (!message || message.payload || attest.length > 0) return 'answer-malformed'
  return isCoseSignedBy(key, message, { context: diceContext.ack, payload: statement }) ? undefined : 'answer-signature'
}
