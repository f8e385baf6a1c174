import { type Assurance, type CommandDigest, type DeviceEntry, partitionOf } from '@interlock/contracts'
import {
  deny,
  type IdentityObligations,
  type StageContext,
  type StageInput,
  type Tables,
  type Verdict,
} from '@interlock/enforcer'
import { digest, type ProofReason, type Svid, verifyIntentProof } from '@interlock/trust'
import type { SeenIntents } from './seen-intents.ts'
import { federatedAgent, ownAgent, type Standing, type StandingReason } from './standing.ts'

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
  | StandingReason
  | 'revoked'
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
    federation: tables['control.federation'],
    now,
    skewMs: clockSkewMs,
    intentId: intent.intentId,
    jobId: intent.jobId,
    commandDigest: digest(intent.command) as CommandDigest,
    leafToken: intent.tokens.at(-1) ?? '',
  })
  if (!proof.ok) return deny(`proof-${proof.reason}`, proof.detail)
  const { leaf, expiresAt } = proof.value

  const revoked = firstRevoked(subjectsOf(leaf, intent.jobId), tables, now)
  if (revoked) return deny('revoked', { revoked })

  const isOurs = leaf.parsed.trustDomain === trust.trustDomain
  const agent = isOurs ? ownAgent(leaf, tables, now) : federatedAgent(leaf, tables)
  if (!agent.ok) return deny(agent.reason, agent.detail)
  const { definition, assurance } = agent
  const withdrawn = firstRevoked([`definition:${definition.hash}`], tables, now)
  if (withdrawn) return deny('revoked', { revoked: withdrawn })

  const device = tables['control.devices'].get(intent.device)
  if (!device) return deny('device-unknown', { device: intent.device })
  const wrongPlatform = platformRefusal(agent, device, now)
  if (wrongPlatform) return wrongPlatform

  const obligations: IdentityObligations = {
    agent: leaf.spiffeId,
    definition: definition.name,
    definitionHash: definition.hash,
    owner: definition.owner,
    assurance,
    certificate: leaf.thumbprint,
  }
  // The proof was fresh now; the decision outlives it, so that a human has time to answer, but not the certificate.
  return { verdict: 'ALLOW', obligations, expiresAt: Math.min(Math.max(expiresAt, now + allowValidityMs), leaf.notAfterMs) }
}

const intentIdPattern = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/

/** A partner's word of a definition is nobody's: its agent's is known from our table alone. */
const subjectsOf = ({ spiffeId, thumbprint, definitionHash }: Svid, jobId: string): string[] => [
  `agent:${spiffeId}`,
  `certificate:${thumbprint}`,
  `definition:${definitionHash ?? ''}`,
  `job:${jobId}`,
]

function firstRevoked(subjects: readonly string[], tables: Tables, now: number): string | undefined {
  return subjects.find((id) => (tables['control.revocations'].get(id)?.from ?? Number.POSITIVE_INFINITY) <= now)
}

const assuranceRank: Readonly<Record<Assurance, number>> = { software: 0, tpm: 1, tee: 2 }

function platformRefusal(
  { assurance, certified, appraisedAt }: Standing,
  device: DeviceEntry,
  now: number,
): Verdict<IdentityReason> | undefined {
  const lower = Math.min(assuranceRank[certified as Assurance] ?? -1, assuranceRank[assurance])
  if (lower < assuranceRank[device.demandsAssurance])
    return deny('assurance-too-low', { assurance, certified, demanded: device.demandsAssurance })
  const ageMs = now - appraisedAt
  if (ageMs > device.appraisalAgeMsMax) return deny('appraisal-too-old', { ageMs, ageMsMax: device.appraisalAgeMsMax })
  return undefined
}
