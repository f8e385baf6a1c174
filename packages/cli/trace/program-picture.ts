import { programPicture, setupOfProfile } from '@interlock/bounds'
import { type DeviceEntry, type Intent, type Result, refused } from '@interlock/contracts'
import { type ProgramStore, programOf } from '@interlock/programs'
import { readCommand } from '@interlock/trust'

/**
 * What an intent's program would do, as SVG, on the machine that the device's entry describes: for who approves it or asks later what it was. Refused by the reason
 * of who cannot draw it: there is no program, it is not in the store, the profile does not say enough, or the program cannot be bounded. @throws ProgramStoreError
 */
export async function pictureOf(
  intent: Intent,
  device: DeviceEntry | undefined,
  store: ProgramStore | undefined,
): Promise<Result<string, string>> {
  const read = readCommand(intent)
  if (!read.ok) return read
  const { command } = read.value
  const found = await programOf(command, intent, store)
  if (!found.ok) return refused(found.reason)
  if (!found.value) return refused('no-program')
  const capabilities = device?.capabilities ?? {}
  const profile = Object.hasOwn(capabilities, command.capability) ? capabilities[command.capability]?.program : undefined
  if (!profile) return refused('profile-unknown', { device: command.device, capability: command.capability })
  const setup = setupOfProfile(profile)
  return setup.ok ? programPicture(found.value, setup.value) : setup
}
