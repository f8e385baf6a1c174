import { createHash } from 'node:crypto'
import { nvRead, p384Endorsement, pcrDigestOf, pcrRead, type TpmTransport } from '@interlock/tpm'

/** What an operator admits a machine by: its TPM, and what it has booted. */
export type Measurement = {
  readonly pcrs: readonly number[]
  /** base64url SHA-256 over the values. */
  readonly pcrDigest: string
  /** base64url SHA-256 of the endorsement certificate. */
  readonly endorsement: string
}

/** Reads a TPM. Nobody signed it: it is an operator who says that this is the machine, in the state that it shall have. @throws TpmError */
export async function measurePlatform(transport: TpmTransport, pcrs: readonly number[]): Promise<Measurement> {
  const certificate = await nvRead(transport, p384Endorsement.certificateIndex)
  return {
    pcrs,
    pcrDigest: pcrDigestOf(await pcrRead(transport, pcrs)).toString('base64url'),
    endorsement: createHash('sha256').update(certificate).digest('base64url'),
  }
}
