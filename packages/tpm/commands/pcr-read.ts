import { readPcrSelections, sha256Selection } from '../structures/pcr-selection.ts'
import { TpmError } from '../tpm-error.ts'
import type { TpmTransport } from '../transport/transport.ts'
import { execute } from './execute.ts'

const roundsMax = 16

/** TPM2_PCR_Read of the SHA-256 bank: eight at most an answer, so it is asked until all are there and none changed meanwhile. */
export async function pcrRead(transport: TpmTransport, pcrs: readonly number[]): Promise<Map<number, Buffer>> {
  const values = new Map<number, Buffer>()
  let updateCounter: number | undefined
  for (let round = 0; round < roundsMax; round++) {
    const missing = pcrs.filter((pcr) => !values.has(pcr))
    if (missing.length === 0) return values
    const { parameters } = await execute(transport, { name: 'PCR_Read', parameters: [sha256Selection(missing)] })
    const counter = parameters.u32()
    if (updateCounter !== undefined && counter !== updateCounter) values.clear()
    updateCounter = counter
    const read = readPcrSelections(parameters)[0]?.pcrs ?? []
    if (parameters.u32() !== read.length || read.length === 0) break
    for (const pcr of read) values.set(pcr, parameters.sized(32))
  }
  const remedy = 'allocate the SHA-256 bank, or ask again when nothing extends the PCRs'
  throw new TpmError('tpm-pcr-unreadable', `PCRs ${pcrs.join(', ')} of the SHA-256 bank could not be read`, {
    remedy,
    retriable: true,
  })
}
