import { amountsOf, checkRates, commands, type RateReason } from '@interlock/bounds'
import { accepted, type DeviceEntry, firstOutside, firstWithin, type Quantity, type Result, refused } from '@interlock/contracts'
import type { DeviceUse } from './device-use.ts'

export type DeviceReason =
  | RateReason
  | 'device-unknown'
  | 'device-not-active'
  | 'mode-not-allowed'
  | 'device-in-maintenance'
  | 'device-held'

type Asked = {
  readonly jobId: string
  readonly capability: string
  readonly uses: Readonly<Record<string, Quantity>>
  readonly now: number
}

/** Whether the machine is set up for it now, and would be done before maintenance begins. What no control entry says of it, it does not do. */
export function isReady(profile: DeviceEntry | undefined, { capability, now }: Asked): Result<DeviceEntry, DeviceReason> {
  const asked = profile && Object.hasOwn(profile.capabilities, capability) ? profile.capabilities[capability] : undefined
  if (!profile || !asked) return refused('device-unknown', { capability })
  if (profile.state !== 'active') return refused('device-not-active', { state: profile.state })
  const { mode = '', maintenance = [] } = profile
  if (asked.modes && !asked.modes.includes(mode))
    return refused('mode-not-allowed', { parameter: 'mode', asked: mode, nearest: asked.modes.join(' or '), limitOf: 'machine' })
  const begins = firstWithin(maintenance, { from: now, until: now + profile.completionMsMax })
  if (begins === undefined) return accepted(profile)
  return refused('device-in-maintenance', times(now, firstOutside(maintenance, begins)))
}

/**
 * Whether no other job holds the machine, and all jobs together stay within its rates (ATTACKS 72). Only here are all orders of a device in one order:
 * the stages see a job each.
 */
export function isFree(
  { exclusiveForMs, rates = [] }: DeviceEntry,
  { jobId, uses, now }: Asked,
  use: DeviceUse,
): Result<undefined, DeviceReason> {
  const { last } = use
  if (exclusiveForMs !== undefined && last && last.jobId !== jobId && now < last.at + exclusiveForMs)
    return refused('device-held', times(now, last.at + exclusiveForMs))
  const ofAll = rates.filter(({ per }) => per === 'device')
  return checkRates(ofAll, { count: commands(1), ...amountsOf(uses) }, use.lately, now)
}

const times = (asked: number, nearest: number | undefined) => ({
  parameter: 'time',
  asked: new Date(asked).toISOString(),
  ...(nearest !== undefined && { nearest: new Date(nearest).toISOString() }),
  limitOf: 'machine',
})
