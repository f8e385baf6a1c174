import { sized } from '../structures/bytes.ts'
import type { TpmTransport } from '../transport/transport.ts'
import { emptySensitive, noCreationData } from './create-primary.ts'
import { emptyPassword, execute } from './execute.ts'

/** A key outside the TPM: its private part is readable only by the parent that made it. */
export type WrappedKey = { readonly privateArea: Buffer; readonly publicArea: Buffer }

/** TPM2_Create under a storage key with an empty authorisation value. */
export async function create(transport: TpmTransport, parent: number, template: Uint8Array): Promise<WrappedKey> {
  const { parameters } = await execute(transport, {
    name: 'Create',
    handles: [parent],
    authorisations: [emptyPassword],
    parameters: [emptySensitive, sized(template), noCreationData],
  })
  return { privateArea: parameters.sized(1024), publicArea: parameters.sized(1024) }
}
