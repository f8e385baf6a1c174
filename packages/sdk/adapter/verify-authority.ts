import { accepted, type CommandDigest, type DecisionStatement, type Intent, type Result, refused } from '@interlock/contracts'
import {
  type ConsentReason,
  consentId,
  type DelegationReason,
  type ProofReason,
  verifyConsent,
  verifyDelegation,
  verifyIntentProof,
} from '@interlock/trust'
import type { RevocationSubject } from './standing.ts'
import type { OrderContext } from './verify-order.ts'

export type AuthorityReason =
  | `proof-${ProofReason}`
  | `delegation-${DelegationReason}`
  | `consent-${ConsentReason}`
  | 'agent-differs'
  | 'definition-missing'
  | 'human-differs'
  | 'human-not-a-requester'

export type Authority = {
  readonly human: string
  readonly actors: readonly string[]
  readonly subjects: readonly RevocationSubject[]
}

/** The agent's own signature and the delegation that lets it act, checked again here rather than believed. */
export async function verifyAuthority(
  intent: Intent,
  decided: { commandDigest: CommandDigest; identity: DecisionStatement; delegation: DecisionStatement },
  context: OrderContext,
): Promise<Result<Authority, AuthorityReason>> {
  const { anchors } = context.trust
  const { skewMs } = context
  const proof = verifyIntentProof(intent.proof, {
    anchors,
    federation: context.standing.federation,
    // A proof lives minutes, a human's approval may take longer: it counts if it held when identity-verify signed that it did.
    now: decided.identity.decidedAt,
    skewMs,
    intentId: intent.intentId,
    jobId: intent.jobId,
    commandDigest: decided.commandDigest,
    leafToken: intent.tokens.at(-1) ?? '',
  })
  if (!proof.ok) return refused(`proof-${proof.reason}`, proof.detail)
  const { leaf } = proof.value
  const { definitionHash } = decided.identity.obligations
  if (typeof definitionHash !== 'string') return refused('definition-missing')
  if (decided.identity.obligations.agent !== leaf.spiffeId) return refused('agent-differs', { proved: leaf.spiffeId })

  const delegation = verifyDelegation(intent.tokens, {
    anchors,
    now: context.now,
    skewMs,
    revocations: context.standing.revocations,
    agent: leaf.spiffeId,
    thumbprint: leaf.thumbprint,
  })
  if (!delegation.ok) return refused(`delegation-${delegation.reason}`, delegation.detail)
  const { root, human, actors } = delegation.value
  const requester = context.trust.humans.get(human)
  if (requester?.state !== 'active' || !requester.roles.includes('requester')) return refused('human-not-a-requester', { human })
  const consent = await verifyConsent({ root, human: requester, expected: anchors.webauthn, skewMs })
  if (!consent.ok) return refused(`consent-${consent.reason}`, consent.detail)
  if (decided.delegation.obligations.human !== human) return refused('human-differs', { delegated: human })
  return accepted({
    human,
    actors,
    subjects: [
      ['job', intent.jobId],
      ['human', human],
      ...(root.consent ? [['standing-grant', consentId(root.consent)] as const] : []),
      ['certificate', leaf.thumbprint],
      // As identity-verify signed it: a partner's certificate speaks of its own definitions.
      ['definition', definitionHash],
      ...actors.map((actor) => ['agent', actor] as const),
    ],
  })
}
