import type { KeyObject } from 'node:crypto'
import type { AgentDefinition, Assurance } from '@interlock/contracts'
import { isRevoked, type ParsedSpiffeId, parseSpiffeId, roleOf } from '@interlock/trust'
import { readCertificateRequest } from '@interlock/trust/certificate-request'
import { issueCertificate } from '@interlock/trust/issue'
import type { RegistryFinding } from './alerts.ts'
import { certificateLifeMs } from './authorities.ts'
import { clockSkewMs, type Parts, RegistryError } from './parts.ts'

const dayMs = 86_400_000

export type SvidRequest = {
  readonly subject: string
  readonly publicKey: KeyObject
  readonly assurance: Assurance
  /** The end of the parent's certificate, milliseconds since 1970: a sub-agent never outlives its parent. */
  readonly notAfterMs?: number
}

/**
 * An agent's X.509-SVID. All that it says comes from the registry's own tables, nothing from the request but the key (the template wins over the request).
 * @throws RegistryError where the definition is not active, or the agent was revoked
 */
export async function issueSvid(request: SvidRequest, parts: Parts): Promise<Buffer[]> {
  const { subject, publicKey, assurance, notAfterMs } = request
  const { name: definitionName, instance, hash } = certifiable(subject, parts)
  const { authorities, now } = parts
  await assertClock(parts)
  const ms = Math.min(certificateLifeMs, (notAfterMs ?? Number.POSITIVE_INFINITY) - now())
  const profile = {
    name: `agent-${definitionName}-${instance}`,
    spiffeId: subject,
    definitionHash: hash,
    assurance,
    validityDays: ms / dayMs,
  }
  return issueCertificate(authorities.current, profile, publicKey, now())
}

/**
 * A clock that was set back would give out certificates of times that are over, count what has ended (ATTACKS 136), and number a revocation list below
 * the one before (ATTACKS 133). @throws RegistryError
 */
export async function assertClock({ issued, now, alerts, key }: Parts): Promise<void> {
  if (now() >= issued.newest - clockSkewMs) return
  await alerts.raise(clockBehind(key.spiffeId, now(), issued.newest))
  throw new RegistryError('clock-behind', { newest: issued.newest }, 503)
}

const clockBehind = (subject: string, now: number, newest: number): RegistryFinding => ({
  rule: 'clock-behind',
  severity: 'high',
  subject,
  title: 'The authority’s clock was set back',
  message: `the clock says ${new Date(now).toISOString()}, and a certificate was issued at ${new Date(newest).toISOString()}: nothing is issued`,
  evidence: { now, newest },
  occasion: newest,
})

/** What the tables say of an agent that is to be certified: one of ours, since our authority names nobody else's. @throws RegistryError */
export function certifiable(subject: string, parts: Parts): AgentDefinition & { readonly instance: string } {
  const { value } = parseSpiffeId(subject) as { value: ParsedSpiffeId }
  const role = value.trustDomain === parts.anchors.trustDomain ? roleOf(value) : undefined
  if (role?.kind !== 'agent') throw new RegistryError('not-an-agent', { subject })
  return { ...activeDefinition(role.definition, subject, parts), instance: role.instance }
}

/** A definition that an agent may count as now. @throws RegistryError */
export function activeDefinition(name: string, subject: string, { agents, revocations, now }: Parts): AgentDefinition {
  const definition = agents().get(`definition:${name}`)
  if (definition?.kind !== 'definition' || definition.state !== 'active')
    throw new RegistryError('definition-not-active', { definition: name })
  if (isRevoked([`agent:${subject}`, `definition:${definition.hash}`], { revocations: revocations() }, now()))
    throw new RegistryError('revoked', { subject })
  return definition
}

/** The key of a certificate signing request. @throws RegistryError */
export async function keyOfRequest(der: Buffer): Promise<KeyObject> {
  const key = await readCertificateRequest(der)
  if (!key.ok) throw new RegistryError(key.reason)
  return key.value
}
