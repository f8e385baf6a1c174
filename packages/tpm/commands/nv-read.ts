import { u16 } from '../structures/bytes.ts'
import type { TpmTransport } from '../transport/transport.ts'
import { emptyPassword, execute, handle as wellKnown } from './execute.ts'

const chunkBytes = 512

/** TPM2_NV_ReadPublic: how many bytes an index holds. */
export async function nvReadPublic(transport: TpmTransport, index: number): Promise<{ bytes: number }> {
  const { parameters } = await execute(transport, { name: 'NV_ReadPublic', handles: [index] })
  const fields = parameters.sized(256)
  return { bytes: fields.readUInt16BE(fields.length - 2) }
}

/** TPM2_NV_Read of a whole index by the owner, as for endorsement certificates. */
export async function nvRead(transport: TpmTransport, index: number): Promise<Buffer> {
  const { bytes } = await nvReadPublic(transport, index)
  const chunks: Buffer[] = []
  for (let offset = 0; offset < bytes; offset += chunkBytes) {
    const { parameters } = await execute(transport, {
      name: 'NV_Read',
      handles: [wellKnown.owner, index],
      authorisations: [emptyPassword],
      parameters: [u16(Math.min(chunkBytes, bytes - offset)), u16(offset)],
    })
    chunks.push(parameters.sized(chunkBytes))
  }
  return Buffer.concat(chunks)
}
