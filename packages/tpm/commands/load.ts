import { sized } from '../structures/bytes.ts'
import type { TpmTransport } from '../transport/transport.ts'
import type { WrappedKey } from './create.ts'
import { computedName, type LoadedObject } from './create-primary.ts'
import { emptyPassword, execute } from './execute.ts'

/** TPM2_Load of what TPM2_Create under the same parent gave. */
export async function load(transport: TpmTransport, parent: number, key: WrappedKey): Promise<LoadedObject> {
  const { handle } = await execute(transport, {
    name: 'Load',
    handles: [parent],
    authorisations: [emptyPassword],
    parameters: [sized(key.privateArea), sized(key.publicArea)],
    hasResponseHandle: true,
  })
  return { handle, publicArea: key.publicArea, name: computedName(key.publicArea) }
}
