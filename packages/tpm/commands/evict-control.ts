import { u32 } from '../structures/bytes.ts'
import type { TpmTransport } from '../transport/transport.ts'
import { emptyPassword, execute, handle as wellKnown } from './execute.ts'

/** TPM2_EvictControl by the owner: keeps a loaded object at a persistent handle (0x81000000 to 0x817FFFFF), or removes the one given twice. */
export async function evictControl(transport: TpmTransport, handle: number, persistentHandle: number): Promise<void> {
  await execute(transport, {
    name: 'EvictControl',
    handles: [wellKnown.owner, handle],
    authorisations: [emptyPassword],
    parameters: [u32(persistentHandle)],
  })
}
