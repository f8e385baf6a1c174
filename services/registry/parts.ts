import type { AgentEntry, Alert, Appraisal, DeviceEntry, FederationEntry, RevocationEntry } from '@interlock/contracts'
import type { KnownDice, KnownPlatform, SigningKey, SingleUse, TrustAnchors } from '@interlock/trust'
import type { Alerts } from './alerts.ts'
import type { Authorities } from './authorities.ts'
import type { Challenges } from './challenges.ts'
import type { Enrolments } from './enrolment.ts'
import type { IssuedCertificates } from './issued-certificates.ts'
import type { RevocationLists } from './revocation-lists.ts'

/** Where what was found and issued is kept; a promise that resolves means that it is. */
export interface RegistryLog {
  appraised(appraisal: Appraisal): Promise<void>
  agent(id: string, entry: AgentEntry): Promise<void>
  device(entry: DeviceEntry): Promise<void>
  revoked(entry: RevocationEntry): Promise<void>
  alert(alert: Alert): Promise<void>
  federation(entry: FederationEntry): Promise<void>
}

/** What the endpoints work with. */
export type Parts = {
  readonly anchors: TrustAnchors
  /** Signs entries of the tables and attestation results. */
  readonly key: SigningKey
  /** Sign certificates. */
  readonly authorities: Authorities
  readonly issued: IssuedCertificates
  readonly revocationLists: RevocationLists
  readonly agents: () => ReadonlyMap<string, AgentEntry>
  readonly devices: () => ReadonlyMap<string, DeviceEntry>
  readonly revocations: () => ReadonlyMap<string, RevocationEntry>
  readonly federation: () => ReadonlyMap<string, FederationEntry>
  readonly enrolments: Enrolments
  readonly challenges: Challenges
  /** By SPIFFE ID: what the last good appraisal found. */
  readonly platforms: Map<string, KnownPlatform | KnownDice>
  /** `jti` of the admissions that were used, from the results in the topic too. */
  readonly usedAdmissions: Set<string>
  /** Agents' assertions and operators' orders that were used. */
  readonly used: SingleUse
  /** When this process began to remember them, milliseconds since 1970. */
  readonly startedAt: number
  /** Definitions that were ordered and did not come back from their table yet, by name: `<hash> <state>`. */
  readonly ordered: Map<string, string>
  /** Sub-agents that are brought up and did not come back from their table yet: their parents, by their own SPIFFE ID. */
  readonly broughtUp: Map<string, string>
  readonly log: RegistryLog
  readonly alerts: Alerts
  /** Milliseconds since 1970. */
  readonly now: () => number
}

/** What an enrolment or renewal ends with: an agent's certificates, leaf first; none for a device. */
export type Admitted = { readonly subject: string; readonly chain: readonly Buffer[] }

/** By how much clocks may differ. */
export const clockSkewMs = 30_000

/** What a client is told: a reason code. The detail is for the log. */
export class RegistryError extends Error {
  readonly code: string
  readonly status: 400 | 404 | 409 | 503
  constructor(code: string, detail: unknown = undefined, status: 400 | 404 | 409 | 503 = 400) {
    super(code, { cause: detail })
    this.name = 'RegistryError'
    this.code = code
    this.status = status
  }
}
