import { type Amounts, checkRates, type RateReason } from '@interlock/bounds'
import { accepted, type DeviceEntry, firstOutside, firstWithin, type Result, refused, type Window } from '@interlock/contracts'
import type { About, JobMemory } from './job-memory.ts'

export type StateReason = RateReason | 'mode-not-allowed' | 'device-in-maintenance' | 'sequence-incomplete' | 'outside-window'

type Now = { readonly now: number; readonly memory: JobMemory }

/** Whether the grant may be used now. The value is when it may no longer be; nothing that rests on it lasts longer. */
export function checkWindows(windows: readonly Window[] | undefined, now: number): Result<number, StateReason> {
  if (!windows) return accepted(Number.POSITIVE_INFINITY)
  const opens = firstWithin(windows, { from: now, until: Number.MAX_SAFE_INTEGER })
  if (opens === now) return accepted(firstOutside(windows, now) ?? Number.POSITIVE_INFINITY)
  return refused('outside-window', { ...times(now, opens), limitOf: 'grant' })
}

/** Whether the device is set up for it, free of maintenance for as long as it may last, and the job has done what must come before. */
export function checkState(
  device: DeviceEntry,
  { job, capability }: Pick<About, 'job' | 'capability'>,
  { now, memory }: Now,
): Result<undefined, StateReason> {
  const { modes, requires = [] } = device.capabilities[capability] as DeviceEntry['capabilities'][string]
  if (modes && !modes.includes(device.mode ?? ''))
    return refused('mode-not-allowed', {
      parameter: 'mode',
      asked: device.mode ?? '',
      nearest: modes.join(' or '),
      limitOf: 'machine',
    })

  const maintenance = device.maintenance ?? []
  const until = now + device.orderValidityMs + device.completionMsMax
  const begins = firstWithin(maintenance, { from: now, until })
  if (begins !== undefined)
    return refused('device-in-maintenance', { ...times(now, firstOutside(maintenance, begins)), limitOf: 'machine' })

  const lacking = requires.find((step) => {
    const at = memory.doneAt({ job, device: device.device, capability: step.capability })
    return at === undefined || at < now - step.withinMs
  })
  if (!lacking) return accepted(undefined)
  const { capability: first, withinMs } = lacking
  return refused('sequence-incomplete', {
    parameter: 'capability',
    asked: capability,
    nearest: first,
    limitOf: 'machine',
    withinMs,
  })
}

/** What a job may ask of a device within a time (ATTACKS 71). What all jobs together may is the device's own to check: only it sees all of them. */
export function checkPace(
  { device, rates = [] }: DeviceEntry,
  job: string,
  amounts: Amounts,
  { now, memory }: Now,
): Result<number, StateReason> {
  const own = rates.filter(({ per }) => per === 'job')
  const within = checkRates(own, amounts, memory.lately({ job, device }), now)
  return within.ok ? accepted(Math.max(0, ...own.map(({ windowMs }) => windowMs))) : within
}

const times = (asked: number, nearest: number | undefined) => ({
  parameter: 'time',
  asked: new Date(asked).toISOString(),
  ...(nearest !== undefined && { nearest: new Date(nearest).toISOString() }),
})
