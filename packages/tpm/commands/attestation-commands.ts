import { algorithm } from '../structures/algorithms.ts'
import type { ByteReader } from '../structures/byte-reader.ts'
import { sized, u16 } from '../structures/bytes.ts'
import { sha256Selection } from '../structures/pcr-selection.ts'
import type { TpmTransport } from '../transport/transport.ts'
import { emptyPassword, execute, handle as wellKnown } from './execute.ts'

/** TPMS_ATTEST and the TPMT_SIGNATURE over it. */
export type Attestation = { readonly attest: Buffer; readonly signature: Buffer }

/** The scheme that is fixed in the key. */
const keyScheme = u16(algorithm.null)

function readAttestation(parameters: ByteReader): Attestation {
  return { attest: parameters.sized(2048), signature: parameters.take(parameters.remaining) }
}

/** TPM2_Quote over PCRs of the SHA-256 bank. */
export async function quote(
  transport: TpmTransport,
  request: { key: number; qualifyingData: Uint8Array; pcrs: readonly number[] },
): Promise<Attestation> {
  const { parameters } = await execute(transport, {
    name: 'Quote',
    handles: [request.key],
    authorisations: [emptyPassword],
    parameters: [sized(request.qualifyingData), keyScheme, sha256Selection(request.pcrs)],
  })
  return readAttestation(parameters)
}

/** TPM2_Certify: `key` states that `object` is loaded in the same TPM. */
export async function certify(
  transport: TpmTransport,
  request: { key: number; object: number; qualifyingData: Uint8Array },
): Promise<Attestation> {
  const { parameters } = await execute(transport, {
    name: 'Certify',
    handles: [request.object, request.key],
    authorisations: [emptyPassword, emptyPassword],
    parameters: [sized(request.qualifyingData), keyScheme],
  })
  return readAttestation(parameters)
}

/** TPM2_GetTime: `key` states the TPM's time and clock. */
export async function getTime(
  transport: TpmTransport,
  request: { key: number; qualifyingData: Uint8Array },
): Promise<Attestation> {
  const { parameters } = await execute(transport, {
    name: 'GetTime',
    handles: [wellKnown.endorsement, request.key],
    authorisations: [emptyPassword, emptyPassword],
    parameters: [sized(request.qualifyingData), keyScheme],
  })
  return readAttestation(parameters)
}
