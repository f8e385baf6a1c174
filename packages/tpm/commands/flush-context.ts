import { u32 } from '../structures/bytes.ts'
import type { TpmTransport } from '../transport/transport.ts'
import { execute } from './execute.ts'

/** TPM2_FlushContext: frees a transient object or a session. The handle is a parameter here (part 3, 28.4). */
export async function flushContext(transport: TpmTransport, handle: number): Promise<void> {
  await execute(transport, { name: 'FlushContext', parameters: [u32(handle)] })
}
