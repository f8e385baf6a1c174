import { algorithm } from '../structures/algorithms.ts'
import { sized, u16, u32 } from '../structures/bytes.ts'
import type { TpmTransport } from '../transport/transport.ts'
import { emptyPassword, execute, handle as wellKnown } from './execute.ts'

/** TPMT_TK_HASHCHECK: the TPM's word that it hashed the data itself and that they do not begin with its magic. */
export type HashTicket = Buffer

const hashCheck = 0x8024
/** What an unrestricted key needs: no ticket. */
const noTicket = Buffer.concat([u16(hashCheck), u32(wellKnown.null), u16(0)])

/** TPM2_Sign of a digest by the scheme that is fixed in the key; a restricted key wants the ticket of TPM2_Hash. */
export async function sign(
  transport: TpmTransport,
  key: number,
  digest: Uint8Array,
  ticket: HashTicket = noTicket,
): Promise<Buffer> {
  const { parameters } = await execute(transport, {
    name: 'Sign',
    handles: [key],
    authorisations: [emptyPassword],
    parameters: [sized(digest), u16(algorithm.null), ticket],
  })
  return parameters.take(parameters.remaining)
}

/** TPM2_Hash with SHA-256 in the endorsement hierarchy: digest and the ticket with which a restricted key signs it. At most 1024 bytes. */
export async function hash(transport: TpmTransport, data: Uint8Array): Promise<{ digest: Buffer; ticket: HashTicket }> {
  const { parameters } = await execute(transport, {
    name: 'Hash',
    parameters: [sized(data), u16(algorithm.sha256), u32(wellKnown.endorsement)],
  })
  return { digest: parameters.sized(32), ticket: parameters.take(parameters.remaining) }
}
