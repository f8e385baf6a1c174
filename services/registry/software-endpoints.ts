import type { AgentEntry, AgentInstance } from '@interlock/contracts'
import {
  descentMax,
  digest,
  equalDigest,
  keyDigest,
  parseSpiffeId,
  roleOf,
  type Svid,
  standingRefusal,
  verifyAgentAssertion,
} from '@interlock/trust'
import { z } from 'zod'
import { admitted, useAdmission } from './admissions.ts'
import { certifiable, issueSvid, keyOfRequest } from './certificates.ts'
import { type Admitted, clockSkewMs, type Parts, RegistryError } from './parts.ts'
import { record } from './record.ts'

/** Sub-agents that an agent may have, so that one in a loop does not fill the table for all. */
export const subAgentsMax = 64
/** A sub-agent's certificate that would end sooner is of no use. */
const lifeMsMin = 60_000

/** An agent without a TPM: an operator admitted it as software, and its certificate says so. @throws RegistryError */
export async function enrolSoftware(admissionText: string, csr: Buffer, parts: Parts): Promise<Admitted> {
  const admission = admitted(admissionText, parts)
  if (admission.platform) throw new RegistryError('admission-platform', 'it admits a platform: its evidence must come along')
  if (admission.definition !== undefined) throw new RegistryError('admission-federated', 'its partner certifies it')
  const publicKey = await keyOfRequest(csr)
  certifiable(admission.subject, parts)
  useAdmission(admission, parts)
  return certify({ subject: admission.subject, publicKey, admission: admission.jti }, parts)
}

/**
 * The next certificate of an agent without a TPM, by the one that it has; at half of its life. The key may be a new one.
 * @throws RegistryError
 */
export async function renewSoftware(assertion: string, csr: Buffer, parts: Parts): Promise<Admitted> {
  const { agent, instance } = authenticate(assertion, { purpose: 'renewal', csr }, parts)
  // A platform is certified on evidence alone: else what was once certified could leave the hardware.
  if (instance.assurance !== 'software') throw new RegistryError('evidence-missing', { subject: agent.spiffeId })
  if (instance.parent !== undefined) throw new RegistryError('renewed-by-parent', { parent: instance.parent })
  const publicKey = await keyOfRequest(csr)
  return certify({ subject: agent.spiffeId, publicKey, admission: '' }, parts)
}

/** A sub-agent, brought up by its parent: of a definition that the parent's names, and not longer than the parent itself. @throws RegistryError */
export async function enrolSubAgent(assertion: string, subject: string, csr: Buffer, parts: Parts): Promise<Admitted> {
  const { agent, instance } = authenticate(assertion, { purpose: 'sub-agent', csr, subject }, parts)
  if (agent.notAfterMs - parts.now() < lifeMsMin) throw new RegistryError('parent-ends', { notAfter: agent.notAfterMs })
  const isNew = assertMayBringUp(agent, instance, subject, parts)
  // Before the first wait: of two parents at once, one has the name, and each has no more than it may.
  if (isNew) parts.broughtUp.set(subject, agent.spiffeId)
  try {
    const publicKey = await keyOfRequest(csr)
    return await certify({ subject, publicKey, admission: '', parent: agent }, parts)
  } catch (error) {
    if (isNew) parts.broughtUp.delete(subject)
    throw error
  }
}

/** Whether it is a new one. @throws RegistryError */
function assertMayBringUp(parent: Svid, instance: AgentInstance, subject: string, parts: Parts): boolean {
  const { anchors, broughtUp } = parts
  const agents = parts.agents()
  // What came back from the table is known by it.
  for (const name of broughtUp.keys()) if (agents.has(`instance:${name}`)) broughtUp.delete(name)
  const id = parseSpiffeId(subject)
  const role = id.ok && id.value.trustDomain === anchors.trustDomain ? roleOf(id.value) : undefined
  if (role?.kind !== 'agent') throw new RegistryError('not-an-agent', { subject })
  const definition = agents.get(`definition:${instance.definition}`)
  if (definition?.kind !== 'definition' || !definition.definition.subAgents?.includes(role.definition))
    throw new RegistryError('sub-agent-not-allowed', { definition: instance.definition, subAgent: role.definition })
  const known = agents.get(`instance:${subject}`)
  if (known && (known.kind !== 'instance' || known.parent !== parent.spiffeId || known.state !== 'active'))
    throw new RegistryError('not-your-sub-agent', { subject })
  const other = broughtUp.get(subject)
  if (other === parent.spiffeId) throw new RegistryError('sub-agent-pending', { subject }, 409)
  if (other !== undefined) throw new RegistryError('not-your-sub-agent', { subject })
  if (depthOf(instance, agents) >= descentMax) throw new RegistryError('too-deep', { max: descentMax })
  const own = [...agents.values()].filter((one) => one.kind === 'instance' && one.parent === parent.spiffeId).length
  const pending = [...broughtUp.values()].filter((one) => one === parent.spiffeId).length
  if (!known && own + pending >= subAgentsMax) throw new RegistryError('too-many-sub-agents', { max: subAgentsMax })
  return !known
}

/** How many agents stand above an agent. */
function depthOf(instance: AgentInstance, agents: ReadonlyMap<string, AgentEntry>): number {
  let depth = 0
  for (
    let at: AgentEntry | undefined = instance;
    at?.kind === 'instance' && at.parent !== undefined && depth <= descentMax;
    depth++
  )
    at = agents.get(`instance:${at.parent}`)
  return depth
}

/** What an agent asks for. */
type Asked = {
  readonly purpose: 'renewal' | 'sub-agent'
  /** The certificate request, DER. */
  readonly csr: Buffer
  /** Of a sub-agent, its SPIFFE ID. */
  readonly subject?: string
}
const askedSchema = z.object({
  purpose: z.enum(['renewal', 'sub-agent']),
  /** base64url SHA-256 of the certificate request's DER. */
  csr: z.string().max(43),
  subject: z.string().max(2048).optional(),
})

/** Whether an assertion is for this request and no other: whoever saw one must not get a key of their own certified by it (ATTACKS 36). */
function isFor(claims: unknown, { purpose, csr, subject }: Asked): boolean {
  const said = askedSchema.safeParse(claims)
  if (!said.success || said.data.purpose !== purpose || said.data.subject !== subject) return false
  return equalDigest(said.data.csr, digest(csr))
}

/** Who asks, by the key of a certificate that counts now. All that can be wrong is in the log, not in the answer. @throws RegistryError */
function authenticate(text: string, asked: Asked, parts: Parts): { readonly agent: Svid; readonly instance: AgentInstance } {
  const { anchors, key, agents, revocations, used, startedAt, now } = parts
  const refuse = (cause: string) => new RegistryError('assertion-refused', cause)
  const said = verifyAgentAssertion(text, { audience: key.spiffeId, anchors, now: now(), skewMs: clockSkewMs })
  if (!said.ok) throw refuse(said.reason)
  const { agent, jti, claims, issuedAt, until } = said.value
  if (!isFor(claims, asked)) throw refuse('other-request')
  // What was used before a restart is not known any more, so what was made before it does not count.
  if (issuedAt < startedAt - 1000) throw refuse('before-start')
  const fallen = standingRefusal(agent, { agents: agents(), revocations: revocations() }, now())
  if (fallen) throw refuse(fallen)
  if (!used.take(agent.spiffeId, jti, until, now())) throw refuse('replayed')
  return { agent, instance: agents().get(`instance:${agent.spiffeId}`) as AgentInstance }
}

type Certification = {
  readonly subject: string
  readonly publicKey: Parameters<typeof issueSvid>[0]['publicKey']
  /** jti of the admission it came by, empty where it came by none. */
  readonly admission: string
  readonly parent?: Svid
}

/** Recorded before it is handed out: what was not recorded was not issued. */
async function certify({ subject, publicKey, admission, parent }: Certification, parts: Parts): Promise<Admitted> {
  const appraisedAt = parts.now()
  const chain = await issueSvid(
    { subject, publicKey, assurance: 'software', ...(parent && { notAfterMs: parent.notAfterMs }) },
    parts,
  )
  await record({ kind: 'software', subject, admission, key: keyDigest(publicKey), appraisedAt }, chain, parts)
  parts.platforms.delete(subject)
  await parts.log.agent(`instance:${subject}`, {
    kind: 'instance',
    spiffeId: subject,
    definition: subject.split('/').at(-2) ?? '',
    assurance: 'software',
    appraisedAt,
    state: 'active',
    ...(parent && { parent: parent.spiffeId }),
  })
  return { subject, chain }
}
