import { u16 } from '../structures/bytes.ts'
import type { TpmTransport } from '../transport/transport.ts'
import { execute } from './execute.ts'

/** TPM2_GetRandom, asked again until all bytes are there: a TPM gives a digest's length at most at once. */
export async function getRandom(transport: TpmTransport, bytes: number): Promise<Buffer> {
  let random: Buffer = Buffer.alloc(0)
  while (random.length < bytes) {
    const { parameters } = await execute(transport, { name: 'GetRandom', parameters: [u16(Math.min(64, bytes - random.length))] })
    random = Buffer.concat([random, parameters.sized(64)])
  }
  return random
}
