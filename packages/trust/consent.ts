import { askedGrantSchema, type Consent, type Human, type Result, refused, type TaskTokenClaims } from '@interlock/contracts'
import { isNarrower } from './attenuation.ts'
import { parseCanonical } from './canonical.ts'
import { digest } from './digest.ts'
import { type JobTerms, type TermsReason, termsOf } from './job-terms.ts'
import { type AssertionReason, verifyAssertion } from './passkey-assertion.ts'

export type ConsentReason = AssertionReason | TermsReason | 'missing' | 'differs' | 'wider' | 'outlived'

export type ConsentToVerify = {
  /** Claims of the root token, whose signature is verified. */
  readonly root: TaskTokenClaims
  /** Who the token says wants it, as control.agents or the trust bundle knows them. */
  readonly human: Human
  readonly expected: { readonly rpId: string; readonly origins: readonly string[] }
  readonly skewMs: number
}

/**
 * Whether the human whom a root token names signed for all that it grants: to this agent, for this job, so long; for the job itself, or once for such
 * jobs (a standing grant). The token service says what a human wants only together with the human.
 */
export async function verifyConsent({
  root,
  human,
  expected,
  skewMs,
}: ConsentToVerify): Promise<Result<JobTerms, ConsentReason>> {
  if (!root.consent) return refused('missing')
  const bytes = Buffer.from(root.consent.request, 'base64url')
  const parsed = parseCanonical(bytes, { bytesMax: 24_576, depthMax: 8 })
  const asked = parsed.ok ? askedGrantSchema.safeParse(parsed.value) : undefined
  if (!asked?.success) return refused('malformed')
  const terms = termsOf(asked.data, root.job)
  if (!terms.ok) return terms

  const other = firstDifference(root, terms.value, human)
  if (other) return refused('differs', { member: other })
  const narrower = isNarrower(root.authorization_details, terms.value.grants)
  if (!narrower.ok) return refused('wider', { cause: narrower.reason, ...narrower.detail })
  const stranger = root.may_act?.sub.find((actor) => !terms.value.mayDelegateTo.includes(actor))
  if (stranger !== undefined) return refused('wider', { cause: 'may-not-delegate', actor: stranger })
  const { from, until } = terms.value
  // A token may begin a clock's difference before the human signed, but never end after what was signed.
  if (Math.min(root.iat, root.nbf ?? root.iat) * 1000 < from - skewMs || root.exp * 1000 > until)
    return refused('outlived', { from, until })

  const credential = human.credentials.find(({ id }) => id === root.consent?.credentialId)
  if (credential && verified.get(root) === credential.publicKey) return terms
  const assertion = assertionOf(root.consent)
  const signed = await verifyAssertion({ assertion, challenge: digest(bytes), human, expected })
  if (!signed.ok) return signed
  if (credential) verified.set(root, credential.publicKey)
  return terms
}

/** By which key a token's assertion was found good: a job's tokens come with each of its intents, and signatures do not change. */
const verified = new WeakMap<TaskTokenClaims, string>()

function firstDifference(root: TaskTokenClaims, terms: JobTerms, human: Human): string | undefined {
  const members: readonly (readonly [string, string, string])[] = [
    ['human', terms.human, root.sub],
    ['human', terms.human, human.sub],
    ['job', terms.job, root.job],
    ['orchestrator', terms.orchestrator, root.act.sub],
    ['audience', terms.audience, root.aud],
  ]
  return members.find(([, signed, said]) => signed !== said)?.[0]
}

function assertionOf({ credentialId, authenticatorData, clientDataJson, signature }: Consent) {
  const bytes = (text: string) => Buffer.from(text, 'base64url')
  return {
    credentialId,
    authenticatorData: bytes(authenticatorData),
    clientDataJson: bytes(clientDataJson),
    signature: bytes(signature),
  }
}
