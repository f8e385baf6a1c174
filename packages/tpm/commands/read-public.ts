import type { TpmTransport } from '../transport/transport.ts'
import { computedName, type LoadedObject } from './create-primary.ts'
import { execute } from './execute.ts'

/** TPM2_ReadPublic of a loaded or persistent object. */
export async function readPublic(
  transport: TpmTransport,
  handle: number,
): Promise<LoadedObject & { readonly qualifiedName: Buffer }> {
  const { parameters } = await execute(transport, { name: 'ReadPublic', handles: [handle] })
  const publicArea = parameters.sized(1024)
  parameters.sized(66)
  return { handle, publicArea, name: computedName(publicArea), qualifiedName: parameters.sized(66) }
}
