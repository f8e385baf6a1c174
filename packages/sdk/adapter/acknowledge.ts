import { createHash } from 'node:crypto'
import type { Ack, AckStatement, DeviceId, IntentId, JobId } from '@interlock/contracts'
import type { AttestationKey } from '@interlock/tpm'
import { canonicalBytes } from '@interlock/trust'

export type Measured = AckStatement['measured']

/** What signs for this device: its TPM's attestation key and the PCRs that every ack quotes. */
export type QuotingKey = { readonly key: Pick<AttestationKey, 'quote'>; readonly pcrs: readonly number[] }

/** An ack is a TPM quote: it says what was done and, in the same signature, in which measured state the device was. */
export async function acknowledge(statement: AckStatement, jobId: string, { key, pcrs }: QuotingKey): Promise<Ack> {
  const bytes = canonicalBytes(statement)
  const qualifyingData = createHash('sha256').update(bytes).digest()
  const { attest, signature } = await key.quote({ qualifyingData, pcrs })
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
