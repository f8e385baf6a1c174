import type { AgentEntry, AgentInstance, DeviceEntry } from '@interlock/contracts'
import { certificateLifeMs } from './authorities.ts'
import type { Parts } from './parts.ts'
import { withdrawCertificates } from './withdraw.ts'

/** What was found of an agent's platform counts as long as the certificate that was given on it. Milliseconds. */
export const agentAppraisalAgeMsMax = certificateLifeMs

/** A platform that was not found good for longer than its appraisal counts. */
export type Overdue = {
  readonly subject: string
  /** Milliseconds since 1970. */
  readonly appraisedAt: number
  readonly ageMsMax: number
  readonly entry: AgentInstance | DeviceEntry
}

type Known = Pick<Parts, 'agents' | 'devices' | 'platforms'>

/** All of them, each judged by its own entry (ATTACKS 134). What an entry says of an appraisal may be behind what was just found. Pure. */
export function overduePlatforms({ agents, devices, platforms }: Known, now: number): Overdue[] {
  const candidates = [...[...agents().values()].flatMap(ofAgent), ...[...devices().values()].flatMap(ofDevice)]
  return candidates.filter(
    ({ subject, appraisedAt, ageMsMax }) => Math.max(appraisedAt, platforms.get(subject)?.appraisedAt ?? 0) + ageMsMax < now,
  )
}

function ofAgent(entry: AgentEntry): Overdue[] {
  if (entry.kind !== 'instance' || entry.state !== 'active' || entry.assurance === 'software') return []
  const { spiffeId: subject, appraisedAt } = entry
  return [{ subject, appraisedAt, ageMsMax: agentAppraisalAgeMsMax, entry }]
}

function ofDevice(entry: DeviceEntry): Overdue[] {
  if (entry.state !== 'active') return []
  const { appraisedAt, appraisalAgeMsMax: ageMsMax } = entry.attestation
  return [{ subject: entry.spiffeId, appraisedAt, ageMsMax, entry }]
}

export type SweepEvents = {
  readonly lapsed: (overdue: Overdue) => void
  /** It, or what humans are to hear of it, is tried again at the next sweep. */
  readonly failed: (subject: string, error: unknown) => void
}

/**
 * Takes their assurance from platforms that did not come to be appraised: silence is not health (ATTACKS 33, Keylime CVE-2022-3500). State
 * `lapsed` counts nowhere; unlike `suspended` it ends by the next good appraisal. One that cannot be written down keeps none of the others waiting, and an alert that cannot be
 * keeps no platform active.
 */
export async function sweepPlatforms(parts: Parts, events: SweepEvents): Promise<void> {
  for (const overdue of overduePlatforms(parts, parts.now())) {
    try {
      if (!(await lapse(overdue, parts))) continue
      events.lapsed(overdue)
      await tell(overdue, parts)
    } catch (error) {
      events.failed(overdue.subject, error)
    }
  }
}

/** Whether it lapsed. The certificates first: as long as the entry does not say it, they are withdrawn again. */
async function lapse({ subject, ageMsMax, entry }: Overdue, parts: Parts): Promise<boolean> {
  await withdrawCertificates(subject, 'appraisal-overdue', parts)
  // It may have come while this was written, or have been suspended, which is more.
  if ((parts.platforms.get(subject)?.appraisedAt ?? 0) + ageMsMax >= parts.now()) return false
  const isAgent = 'kind' in entry
  const present = isAgent ? parts.agents().get(`instance:${subject}`) : parts.devices().get(entry.device)
  if (!present || !('state' in present) || present.state !== 'active') return false
  if (isAgent) await parts.log.agent(`instance:${subject}`, { ...entry, assurance: 'software', state: 'lapsed' })
  else await parts.log.device({ ...entry, state: 'lapsed' })
  return true
}

function tell({ subject, appraisedAt, ageMsMax }: Overdue, { alerts }: Parts): Promise<void> {
  return alerts.raise({
    rule: 'appraisal-overdue',
    severity: 'high',
    subject,
    title: 'A platform was not appraised in time',
    message: `${subject} was last found good at ${new Date(appraisedAt).toISOString()}: it does not count until it is again`,
    evidence: { appraisedAt, ageMsMax },
    occasion: appraisedAt,
  })
}
