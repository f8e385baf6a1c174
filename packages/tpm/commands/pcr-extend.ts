import { algorithm } from '../structures/algorithms.ts'
import { u16, u32 } from '../structures/bytes.ts'
import type { TpmTransport } from '../transport/transport.ts'
import { emptyPassword, execute } from './execute.ts'

/** TPM2_PCR_Extend of the SHA-256 bank with a digest. */
export async function pcrExtend(transport: TpmTransport, pcr: number, digest: Uint8Array): Promise<void> {
  if (digest.length !== 32) throw new RangeError(`a SHA-256 digest has 32 bytes, not ${digest.length}`)
  await execute(transport, {
    name: 'PCR_Extend',
    handles: [pcr],
    authorisations: [emptyPassword],
    parameters: [u32(1), u16(algorithm.sha256), digest],
  })
}
