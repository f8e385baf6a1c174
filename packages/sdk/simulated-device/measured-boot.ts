import { createHash } from 'node:crypto'
import { openAttestationKey, pcrDigestOf, pcrExtend, pcrRead, type TpmTransport } from '@interlock/tpm'
import type { DeviceTpm } from '../trust-domain/laboratory.ts'

/** Firmware, boot loader and boot policy: what the simulated machines measure, and every ack quotes. */
export const bootPcrs = [0, 4, 7] as const

/**
 * What firmware does at power-on: extends the PCRs with digests of what it is about to run. Done once for each start of the
 * TPM, which begins with zeros; a device process that only restarts finds them extended.
 */
export async function measureBoot(transport: TpmTransport, device: string): Promise<void> {
  const values = await pcrRead(transport, bootPcrs)
  for (const pcr of bootPcrs) {
    if (!values.get(pcr)?.every((byte) => byte === 0)) continue
    await pcrExtend(transport, pcr, createHash('sha256').update(`interlock simulated ${device}, PCR ${pcr}, 1.0.0`).digest())
  }
}

/** What a registry would learn of a device's TPM by enrolment, read here from the TPM itself. */
export async function readDeviceTpm(transport: TpmTransport): Promise<DeviceTpm> {
  const key = await openAttestationKey(transport)
  try {
    const pcrDigest = pcrDigestOf(await pcrRead(transport, bootPcrs)).toString('base64url')
    return { attestationKey: key.publicArea.toString('base64url'), pcrs: bootPcrs, pcrDigest }
  } finally {
    await key.close()
  }
}
