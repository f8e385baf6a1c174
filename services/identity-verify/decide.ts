import {
  type AgentDefinition,
  type AgentInstance,
  type Assurance,
  type CommandDigest,
  type DeviceEntry,
  partitionOf,
} from '@interlock/contracts'
import {
  deny,
  type IdentityObligations,
  type StageContext,
  type StageInput,
  type Tables,
  type Verdict,
} from '@interlock/enforcer'
import { areParentsActive, digest, type ProofReason, roleOf, type Svid, verifyIntentProof } from '@interlock/trust'
import type { SeenIntents } from './seen-intents.ts'

export const clockSkewMs = 30_000
/** How long an ALLOW may take through the other stages, a human's approval included, milliseconds. */
export const allowValidityMs = 900_000

export type IdentityReason =
  | 'wrong-key'
  | 'wrong-partition'
  | 'intent-id-malformed'
  | 'replayed'
  | 'conflicting-intent'
  | 'memory-full'
  | `proof-${ProofReason}`
  | 'not-an-agent'
  | 'revoked'
  | 'definition-unknown'
  | 'definition-not-active'
  | 'definition-mismatch'
  | 'instance-unknown'
  | 'instance-not-active'
  | 'parent-not-active'
  | 'device-unknown'
  | 'assurance-too-low'
  | 'appraisal-too-old'

/** Who sent this intent, from which registered definition, on how well appraised a platform, and for the first time. Pure. */
export function decide(input: StageInput, context: StageContext<SeenIntents>): Verdict<IdentityReason> {
  const { intent, key, position } = input
  const { now, tables, trust, memory } = context

  // The job is signed; a record outside its partition could be played in two (DESIGN "Partitions").
  if (key !== intent.jobId) return deny('wrong-key', { key: key.slice(0, 128), job: intent.jobId })
  const partition = partitionOf(intent.jobId, context.partitions)
  if (position.partition !== partition) return deny('wrong-partition', { found: position.partition, belongs: partition })

  if (!intentIdPattern.test(intent.intentId)) return deny('intent-id-malformed')
  const seen = memory.get(intent.intentId)
  if (seen !== undefined) return deny(seen === digest(input.intentBytes) ? 'replayed' : 'conflicting-intent')
  if (memory.isFull) return deny('memory-full', { intents: memory.size })

  const proof = verifyIntentProof(intent.proof, {
    anchors: trust,
    now,
    skewMs: clockSkewMs,
    intentId: intent.intentId,
    jobId: intent.jobId,
    commandDigest: digest(intent.command) as CommandDigest,
    leafToken: intent.tokens.at(-1) ?? '',
  })
  if (!proof.ok) return deny(`proof-${proof.reason}`, proof.detail)
  const { leaf, expiresAt } = proof.value

  const role = roleOf(leaf.parsed)
  if (role?.kind !== 'agent') return deny('not-an-agent', { spiffeId: leaf.spiffeId })
  const revoked = firstRevoked(leaf, intent.jobId, tables, now)
  if (revoked) return deny('revoked', { revoked })

  const definition = tables['control.agents'].get(`definition:${role.definition}`)
  if (definition?.kind !== 'definition') return deny('definition-unknown', { definition: role.definition })
  const wrongDefinition = definitionRefusal(leaf, definition)
  if (wrongDefinition) return wrongDefinition

  const instance = tables['control.agents'].get(`instance:${leaf.spiffeId}`)
  if (instance?.kind !== 'instance') return deny('instance-unknown', { agent: leaf.spiffeId })
  const known = { agents: tables['control.agents'], revocations: tables['control.revocations'] }
  if (!areParentsActive(instance, known, now)) return deny('parent-not-active', { agent: leaf.spiffeId })
  const device = tables['control.devices'].get(intent.device)
  if (!device) return deny('device-unknown', { device: intent.device })
  const wrongPlatform = platformRefusal(leaf, instance, device, now)
  if (wrongPlatform) return wrongPlatform

  const obligations: IdentityObligations = {
    agent: leaf.spiffeId,
    definition: role.definition,
    definitionHash: definition.hash,
    owner: definition.owner,
    assurance: instance.assurance,
    certificate: leaf.thumbprint,
  }
  // The proof was fresh now; the decision outlives it, so that a human has time to answer, but not the certificate.
  return { verdict: 'ALLOW', obligations, expiresAt: Math.min(Math.max(expiresAt, now + allowValidityMs), leaf.notAfterMs) }
}

const intentIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

function firstRevoked(leaf: Svid, jobId: string, tables: Tables, now: number): string | undefined {
  const subjects = [
    `agent:${leaf.spiffeId}`,
    `certificate:${leaf.thumbprint}`,
    `definition:${leaf.definitionHash ?? ''}`,
    `job:${jobId}`,
  ]
  return subjects.find((id) => (tables['control.revocations'].get(id)?.from ?? Number.POSITIVE_INFINITY) <= now)
}

/** A changed prompt, model or tool list is another agent: its old certificates no longer name what is registered. */
function definitionRefusal(leaf: Svid, definition: AgentDefinition): Verdict<IdentityReason> | undefined {
  if (definition.state !== 'active')
    return deny('definition-not-active', { definition: definition.name, state: definition.state })
  if (leaf.definitionHash === definition.hash) return undefined
  return deny('definition-mismatch', { certificate: leaf.definitionHash ?? '', registered: definition.hash })
}

const assuranceRank: Record<Assurance, number> = { software: 0, tpm: 1, tee: 2 }

function platformRefusal(
  leaf: Svid,
  instance: AgentInstance,
  device: DeviceEntry,
  now: number,
): Verdict<IdentityReason> | undefined {
  if (instance.state !== 'active') return deny('instance-not-active', { agent: instance.spiffeId, state: instance.state })
  // The certificate says what was appraised when it was issued, the table what is known now: both must do.
  const certified = assuranceRank[leaf.assurance as Assurance] ?? -1
  if (Math.min(certified, assuranceRank[instance.assurance]) < assuranceRank[device.demandsAssurance])
    return deny('assurance-too-low', {
      assurance: instance.assurance,
      certified: leaf.assurance ?? '',
      demanded: device.demandsAssurance,
    })
  const ageMs = now - instance.appraisedAt
  if (ageMs > device.appraisalAgeMsMax) return deny('appraisal-too-old', { ageMs, ageMsMax: device.appraisalAgeMsMax })
  return undefined
}
