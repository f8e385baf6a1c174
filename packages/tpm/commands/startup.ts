import { u16 } from '../structures/bytes.ts'
import { TpmError } from '../tpm-error.ts'
import type { TpmTransport } from '../transport/transport.ts'
import { execute } from './execute.ts'

const clear = u16(0)
const alreadyStarted = 0x100

/** TPM2_Startup(CLEAR). A TPM that firmware or swtpm's flags have started already is as it should be. */
export async function startup(transport: TpmTransport): Promise<void> {
  try {
    await execute(transport, { name: 'Startup', parameters: [clear] })
  } catch (error) {
    if (!(error instanceof TpmError) || error.responseCode !== alreadyStarted) throw error
  }
}

/** TPM2_Shutdown(CLEAR). Without it the clock runs back at the next start, and each use of a key without noDA counts as a failed try. */
export async function shutdown(transport: TpmTransport): Promise<void> {
  await execute(transport, { name: 'Shutdown', parameters: [clear] })
}
