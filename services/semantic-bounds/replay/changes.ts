import { type DeviceEntry, deviceEntrySchema, deviceGrantSchema } from '@interlock/contracts'
import { z } from 'zod'
import type { GrantChange } from './redecide.ts'

/** `--profile`: the device, and the members of its entry that would be others. */
export const profileChangeSchema = deviceEntrySchema.partial().required({ device: true })
export type ProfileChange = z.infer<typeof profileChangeSchema>

export const devicesOf = ({ device, ...change }: ProfileChange): ReadonlyMap<string, Partial<DeviceEntry>> =>
  new Map([[device, change as Partial<DeviceEntry>]])

/** `--grant`: RFC 9396 authorization details, as a token has them. */
export const grantChangeSchema = z.union([
  deviceGrantSchema.transform((grant) => [grant]),
  z.array(deviceGrantSchema).min(1).max(16),
])

/** The grant of a command is the first that names its device and capability; another command keeps its own. */
export function grantChange(grants: z.infer<typeof grantChangeSchema>): GrantChange {
  return ({ device, capability }, grant) => {
    const found = grants.find(({ locations, actions }) => locations.includes(device) && actions.includes(capability))
    return found ? { ...grant, limits: found.limits as typeof grant.limits, maxCount: found.maxCount } : grant
  }
}
