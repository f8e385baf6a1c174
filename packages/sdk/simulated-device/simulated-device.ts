import { openAttestationKey, type TpmTransport } from '@interlock/tpm'
import { type DeviceAdapterSettings, startDeviceAdapter } from '../adapter/device-adapter.ts'
import { machines } from './machine.ts'
import { bootPcrs, measureBoot } from './measured-boot.ts'

/** A real adapter and a real TPM (a software one where there is no other) around a simulated machine. */
export async function startSimulatedDevice(
  settings: Omit<DeviceAdapterSettings, 'signer' | 'handler'> & { readonly tpm: TpmTransport },
): Promise<{ stop: () => Promise<void> }> {
  const handler = machines[settings.device]
  if (!handler) throw new Error(`no simulated machine ${settings.device}: there are ${Object.keys(machines).join(', ')}`)
  await measureBoot(settings.tpm, settings.device)
  const key = await openAttestationKey(settings.tpm)
  const adapter = await startDeviceAdapter({ ...settings, handler, signer: { key, pcrs: bootPcrs } })
  return {
    stop: async () => {
      await adapter.stop()
      await key.close()
    },
  }
}
