import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Layout } from '@interlock/cli'
import { Service } from './service.ts'
import type { Stack } from './stack.ts'
import type { RunningTpm } from './tpm.ts'

const entry = fileURLToPath(new URL('../../packages/sdk/simulated-device/simulated-device-main.ts', import.meta.url))

export type DeviceRequest = {
  readonly device: string
  readonly tpm: RunningTpm
  readonly stack: Pick<Stack, 'kafka' | 'registry'>
  readonly layout: Layout
  /** Origin of the agent identity registry, where one runs: the device has itself appraised again and again. */
  readonly enrolment: string | undefined
}
export type Device = { readonly name: string; readonly journal: string; readonly tpm: RunningTpm; readonly service: Service }

/** Starts a simulated machine with a real adapter, on its TPM. */
export async function startDevice({ device, tpm, stack, layout, enrolment }: DeviceRequest): Promise<Device> {
  const home = join(layout.directory, 'devices', device)
  mkdirSync(home, { recursive: true })
  const journal = join(home, 'journal')
  const env = {
    INTERLOCK_DEVICE: device,
    INTERLOCK_KAFKA: stack.kafka,
    INTERLOCK_REGISTRY: stack.registry,
    INTERLOCK_TRUST_BUNDLE: layout.trustBundle,
    INTERLOCK_TPM: tpm.address,
    INTERLOCK_JOURNAL: journal,
    INTERLOCK_ENROLMENT: enrolment,
    INTERLOCK_PROGRAMS: layout.programs,
  }
  const service = await Service.start({ name: `device-${device}`, entry, env, directory: layout.directory })
  return { name: device, journal, tpm, service }
}
