import { u32 } from '../structures/bytes.ts'
import type { TpmTransport } from '../transport/transport.ts'
import { execute } from './execute.ts'
import { flushContext } from './flush-context.ts'

const capabilityHandles = u32(1)
/** First handles of the kinds that a client leaves behind: transient objects, loaded HMAC and policy sessions (part 2, 7.4). */
const kinds = [0x8000_0000, 0x0200_0000]
const count = u32(254)

async function handlesFrom(transport: TpmTransport, first: number): Promise<number[]> {
  const { parameters } = await execute(transport, { name: 'GetCapability', parameters: [capabilityHandles, u32(first), count] })
  parameters.u8()
  parameters.u32()
  return Array.from({ length: parameters.u32() }, () => parameters.u32())
}

/** Frees every transient object and loaded session. Only for a client that has the TPM to itself. */
export async function flushTransientObjects(transport: TpmTransport): Promise<void> {
  for (const kind of kinds) for (const handle of await handlesFrom(transport, kind)) await flushContext(transport, handle)
}
