import { sized, u16, u32 } from '../structures/bytes.ts'
import { nameOf, parsePublicArea } from '../structures/public-area.ts'
import { TpmError } from '../tpm-error.ts'
import type { TpmTransport } from '../transport/transport.ts'
import { emptyPassword, execute } from './execute.ts'

/** An object in the TPM. */
export type LoadedObject = { readonly handle: number; readonly publicArea: Buffer; readonly name: Buffer }

/** TPM2B_SENSITIVE_CREATE with neither an authorisation value nor data. */
export const emptySensitive = sized(Buffer.concat([u16(0), u16(0)]))
/** No outside data and no creation PCRs. */
export const noCreationData = Buffer.concat([u16(0), u32(0)])

/** The name is computed here, over the exact bytes: what a TPM or a bus says a name is, is only a claim (check 1). */
export function computedName(publicArea: Buffer): Buffer {
  const parsed = parsePublicArea(publicArea)
  if (!parsed.ok) {
    const remedy = 'use a key of this package’s templates'
    throw new TpmError('tpm-unknown-key', 'the TPM holds a key of a kind not spoken here', { remedy, retriable: false })
  }
  return nameOf(parsed.value)
}

/** TPM2_CreatePrimary in a hierarchy with an empty authorisation value. The same template gives the same key, until the hierarchy's seed is changed. */
export async function createPrimary(transport: TpmTransport, hierarchy: number, template: Uint8Array): Promise<LoadedObject> {
  const { handle, parameters } = await execute(transport, {
    name: 'CreatePrimary',
    handles: [hierarchy],
    authorisations: [emptyPassword],
    parameters: [emptySensitive, sized(template), noCreationData],
    hasResponseHandle: true,
  })
  const publicArea = parameters.sized(1024)
  return { handle, publicArea, name: computedName(publicArea) }
}
