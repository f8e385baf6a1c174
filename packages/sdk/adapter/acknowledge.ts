import { createHash } from 'node:crypto'
import { coseSign1, diceContext } from '@interlock/attestation'
import type { Ack, AckStatement, DeviceId, IntentId, JobId } from '@interlock/contracts'
import type { AttestationKey } from '@interlock/tpm'
import { canonicalBytes } from '@interlock/trust'
import type { DiceIdentity } from '../enrolment/enrol-dice.ts'

export type Measured = AckStatement['measured']

/** What signs for this device: its TPM's attestation key and the PCRs that every ack quotes. */
export type QuotingKey = { readonly key: Pick<AttestationKey, 'quote'>; readonly pcrs: readonly number[] }

/** What signs for a device without a TPM: the key that its DICE derived from what was booted. */
export type LayerKey = Pick<DiceIdentity, 'leafKey'>

export type AckSigner = QuotingKey | LayerKey

/** An ack says what was done and, in the same signature, in which measured state the device was: by a TPM's quote, or by a key that another state has not. */
export async function acknowledge(statement: AckStatement, jobId: string, signer: AckSigner): Promise<Ack> {
  const bytes = canonicalBytes(statement)
  const { attest, signature } = 'leafKey' in signer ? signedByLayer(signer, bytes) : await quotedOver(signer, bytes)
  return {
    intentId: statement.intentId as IntentId,
    jobId: jobId as JobId,
    device: statement.device as DeviceId,
    status: statement.status,
    statement: bytes,
    attest,
    signature,
  }
}

function quotedOver({ key, pcrs }: QuotingKey, statement: Buffer) {
  return key.quote({ qualifyingData: createHash('sha256').update(statement).digest(), pcrs })
}

function signedByLayer({ leafKey }: LayerKey, payload: Buffer) {
  return { attest: Buffer.alloc(0), signature: coseSign1(leafKey, { context: diceContext.ack, payload, isDetached: true }) }
}
