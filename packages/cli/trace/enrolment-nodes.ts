import type { Appraisal, DeviceEntry, TaskTokenClaims } from '@interlock/contracts'
import { type Known, keyDigest, readAttestationResult, readTaskToken, type Svid } from '@interlock/trust'
import { type Check, checkOf, checkThat, type Kept, type Reference, type TraceNode, unchecked } from './evidence.ts'

/** An agent that held one of the tokens, by the certificate that the token is bound to. */
export type Holder = { readonly agent: string; readonly certificate: string }

/** Claims of the tokens that can be read; whether they are true is another check. */
export const claimsOf = (tokens: readonly string[]): TaskTokenClaims[] =>
  tokens.map((token) => readTaskToken(token)).flatMap((token) => (token.ok ? [token.value.claims] : []))

export const holdersOf = (claims: readonly TaskTokenClaims[]): Holder[] =>
  claims.map(({ act, cnf }) => ({ agent: act.sub, certificate: cnf['x5t#S256'] }))

/** What the registry found of the platform under an agent when it certified the key that the agent acted with. */
export function agentEnrolmentNode(
  { agent, certificate }: Holder,
  appraisals: readonly Kept<Appraisal>[],
  { decidedAt, leaf }: { readonly decidedAt: number; readonly leaf: Svid | undefined },
  reference: Reference,
): TraceNode {
  const kept = appraisals.find(({ record }) => record.certificate === certificate && record.subject === agent)
  const result = kept && readAttestationResult(kept.record.result, reference.anchors)
  if (!kept || !result?.ok) return unknown(agent, kept, result)
  const found = result.value
  const checks = [
    checkOf('the attestation result is signed by the registry', result),
    checkThat('is about this agent', found.subject === agent, `is about ${found.subject}`),
    checkThat('was found before it acted', found.appraisedAt <= decidedAt, new Date(found.appraisedAt).toISOString()),
  ]
  // Of the others on the way down only the certificate's thumbprint is in the evidence, not its key.
  if (leaf?.thumbprint === certificate)
    checks.push(checkThat('is for the key that signed', 'key' in found && keyDigest(leaf.publicKey) === found.key, 'another key'))
  return { title: `agent ${agent}: ${platformOf(found)}  [${kept.at}]`, checks, children: [] }
}

/** What the registry found of the machine before it was given the order. */
export function deviceEnrolmentNode(
  device: DeviceEntry,
  appraisals: readonly Kept<Appraisal>[],
  orderedAt: number,
  reference: Reference,
): TraceNode {
  const { spiffeId, attestation } = device
  const kept = appraisals.findLast(
    ({ record }) => record.subject === spiffeId && record.status === 'affirming' && record.appraisedAt <= orderedAt,
  )
  const result = kept && readAttestationResult(kept.record.result, reference.anchors)
  if (!kept || !result?.ok) return unknown(spiffeId, kept, result)
  const found = result.value
  return {
    title: `device ${spiffeId}: ${platformOf(found)}  [${kept.at}]`,
    checks: [
      checkOf('the attestation result is signed by the registry', result),
      checkThat('is about this device', found.subject === spiffeId, `is about ${found.subject}`),
      checkThat('is for the key that its acks are signed by', isOfKey(found, attestation), 'another key'),
    ],
    children: [],
  }
}

function isOfKey(found: Known, attestation: DeviceEntry['attestation']): boolean {
  if (attestation.kind === 'tpm')
    return found.kind === 'platform' && found.attestationKey.toString('base64url') === attestation.attestationKey
  return found.kind === 'dice' && found.leafKey.toString('base64url') === attestation.leafKey
}

function unknown(
  subject: string,
  kept: Kept<Appraisal> | undefined,
  result: ReturnType<typeof readAttestationResult> | undefined,
): TraceNode {
  const what = 'how it was enrolled'
  const check: Check =
    kept && result
      ? checkOf(what, result)
      : unchecked(what, 'no attestation result is kept for its key: `interlock dev init` made it')
  return { title: `${subject}${kept ? `  [${kept.at}]` : ''}`, checks: [check], children: [] }
}

function platformOf(found: Known): string {
  const when = new Date(found.appraisedAt).toISOString()
  if (found.kind === 'software') return `software, no platform under it was appraised, certified ${when}`
  if (found.kind === 'dice')
    return `by its DICE, ${found.reference.layers.length} layers as an operator admitted them, appraised ${when}`
  const { manufacturer, model } = found.model
  return `in the TPM ${manufacturer} ${model}, PCRs ${found.pcrs.join(', ')} as an operator admitted them, appraised ${when}`
}
