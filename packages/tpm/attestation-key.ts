import { type Attestation, certify, getTime, quote } from './commands/attestation-commands.ts'
import { createPrimary, type LoadedObject } from './commands/create-primary.ts'
import { handle } from './commands/execute.ts'
import { flushContext } from './commands/flush-context.ts'
import { attestationKeyTemplate } from './templates.ts'
import type { TpmTransport } from './transport/transport.ts'

export type AttestationKey = {
  /** TPMT_PUBLIC: what control.devices enrols. */
  readonly publicArea: Buffer
  readonly name: Buffer
  /** Transient handle; for commands that take this key as one of several. */
  readonly handle: number
  quote(request: { qualifyingData: Uint8Array; pcrs: readonly number[] }): Promise<Attestation>
  /** Vouches for another key of the same TPM. */
  certify(request: { object: Pick<LoadedObject, 'handle'>; qualifyingData: Uint8Array }): Promise<Attestation>
  getTime(request: { qualifyingData: Uint8Array }): Promise<Attestation>
  /** Frees the slot; the transport stays open. */
  close(): Promise<void>
}

/**
 * Opens the TPM's attestation key, a primary key of the endorsement hierarchy: the TPM derives the same key from its seed each
 * time, so nothing is stored, and a restart finds the one that is enrolled. In that hierarchy the counters it signs are the real ones.
 */
export async function openAttestationKey(transport: TpmTransport): Promise<AttestationKey> {
  const key = await createPrimary(transport, handle.endorsement, attestationKeyTemplate)
  return {
    ...key,
    quote: (request) => quote(transport, { ...request, key: key.handle }),
    certify: ({ object, qualifyingData }) => certify(transport, { key: key.handle, object: object.handle, qualifyingData }),
    getTime: ({ qualifyingData }) => getTime(transport, { key: key.handle, qualifyingData }),
    close: () => flushContext(transport, key.handle),
  }
}
