import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import type { AgentEntry, Alert, Appraisal, DeviceEntry, FederationEntry, RevocationEntry } from '@interlock/contracts'
import { listen } from '@interlock/enforcer'
import { EnrolmentError } from '@interlock/sdk'
import { createTables, type Fixture } from '@interlock/sdk/fixture'
import { type Admission, type SigningKey, SingleUse, signAdmission } from '@interlock/trust'
import { Alerts } from './alerts.ts'
import { registryApp } from './app.ts'
import { Authorities } from './authorities.ts'
import { Challenges } from './challenges.ts'
import { Enrolments } from './enrolment.ts'
import { IssuedCertificates } from './issued-certificates.ts'
import { publishOwnBundle } from './partners.ts'
import type { Parts } from './parts.ts'
import { RevocationLists } from './revocation-lists.ts'

/** A registry over HTTP whose log is in memory and can be taken away. */
export type TestRegistry = {
  readonly url: string
  readonly parts: Parts
  readonly agents: Map<string, AgentEntry>
  readonly devices: Map<string, DeviceEntry>
  readonly revocations: Map<string, RevocationEntry>
  readonly federation: Map<string, FederationEntry>
  readonly appraisals: Appraisal[]
  readonly alerts: Alert[]
  isLogAway: boolean
  /** Milliseconds by which its clock differs from ours. */
  clockMs: number
  close(): void
}

export async function startTestRegistry(fixture: Fixture, tpmRoots: readonly Buffer[]): Promise<TestRegistry> {
  const tables = await createTables(fixture, { attestationKey: 'AA', pcrs: [0], pcrDigest: 'A'.repeat(43) })
  const agents = tables['control.agents'] as Map<string, AgentEntry>
  const devices = new Map<string, DeviceEntry>()
  const revocations = new Map<string, RevocationEntry>()
  const federation = new Map<string, FederationEntry>()
  const appraisals: Appraisal[] = []
  const alerts: Alert[] = []
  const control = { isLogAway: false, clockMs: 0 }
  const kept = () => {
    if (control.isLogAway) throw new Error('the log is away')
  }
  const now = () => Date.now() + control.clockMs
  const parts: Parts = {
    anchors: fixture.trust.anchors,
    key: fixture.key('service-registry'),
    authorities: new Authorities(fixture.domain.issuer),
    issued: new IssuedCertificates(),
    revocationLists: new RevocationLists(),
    agents: () => agents,
    devices: () => devices,
    revocations: () => revocations,
    federation: () => federation,
    enrolments: new Enrolments(tpmRoots),
    challenges: new Challenges(),
    platforms: new Map(),
    usedAdmissions: new Set(),
    used: new SingleUse(),
    startedAt: Date.now() - 5000,
    ordered: new Map(),
    broughtUp: new Map(),
    log: {
      async appraised(appraisal) {
        kept()
        appraisals.push(appraisal)
      },
      async agent(id, entry) {
        kept()
        agents.set(id, entry)
        if (entry.kind === 'definition') parts.ordered.delete(entry.name)
      },
      async device(entry) {
        kept()
        devices.set(entry.device, entry)
      },
      async revoked(entry) {
        kept()
        revocations.set(`${entry.kind}:${entry.subject}`, entry)
      },
      async alert(alert) {
        kept()
        alerts.push(alert)
      },
      async federation(entry) {
        kept()
        federation.set(entry.trustDomain, entry)
      },
    },
    alerts: new Alerts((alert) => parts.log.alert(alert), now),
    now,
  }
  await publishOwnBundle(parts.anchors, parts)
  const { server } = await listen(registryApp(parts, { refused: () => {}, failed: () => {} }), '127.0.0.1', 0)
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  return Object.assign(control, {
    url,
    parts,
    agents,
    devices,
    revocations,
    federation,
    appraisals,
    alerts,
    close: () => server.close(),
  })
}

/** What an operator signs to admit somebody, for ten minutes. */
export function admissionOf(
  fixture: Fixture,
  change: Partial<Admission> & Pick<Admission, 'subject'>,
  by: SigningKey = fixture.key('operator-dev'),
): Promise<string> {
  const iat = Math.floor(Date.now() / 1000)
  const base = { iss: by.spiffeId, aud: fixture.domain.bundle.audience, jti: randomUUID(), iat, exp: iat + 600 }
  return signAdmission({ ...base, ...change }, by)
}

/** The registry's reason, or `done`. */
export const reasonOf = (asked: Promise<unknown>): Promise<string> =>
  asked.then(
    () => 'done',
    (error: unknown) => (error instanceof EnrolmentError ? error.code : String(error)),
  )

/** What the registry answers to a request of its own making. @throws EnrolmentError with the registry's reason */
export async function postTo(url: string, path: string, body: object): Promise<Record<string, string>> {
  const init = { method: 'POST', headers: { 'content-type': 'application/json' }, body: JSON.stringify(body) }
  const answer = await fetch(`${url}${path}`, init)
  const value = (await answer.json()) as Record<string, string>
  if (!answer.ok) throw new EnrolmentError(value.error ?? '', value.error ?? '')
  return value
}
