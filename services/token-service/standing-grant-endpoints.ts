import { randomBytes } from 'node:crypto'
import type { Consent, StandingGrant } from '@interlock/contracts'
import { canonicalBytes, digest, isRevoked, recordOfStandingGrant, summaryOfStandingGrant, termsOf } from '@interlock/trust'
import { authenticate, type Client } from './client.ts'
import { consentedTo, requester } from './consented.ts'
import type { EndpointRequest } from './endpoint-request.ts'
import { answerMs, type PendingGrant } from './grant-requests.ts'
import { grantsToShow } from './grants-to-show.ts'
import { issue, type TokenAnswer } from './issue.ts'
import { OAuthError } from './oauth-error.ts'
import type { Parameters } from './parameters.ts'
import type { Parts } from './parts.ts'
import { rootClaims, widestRoot } from './token-claims.ts'

const daySeconds = 86_400
/** Less than records stay in the topic `tokens`, so that every job of a grant can be counted as long as the grant lives. */
const validitySecondsMax = 28 * daySeconds

/** An orchestrator asks for a standing grant, and its human has to sign: `name` begins its jobs' names, the limits are what the human reads. */
export function requestStandingGrant(request: EndpointRequest, parts: Parts): Readonly<Record<string, unknown>> {
  const { requests, standing, anchors, now } = parts
  const { parameters } = request
  const client = authenticate(request, parts)
  const human = requester(parameters.need('login_hint'), parts)
  const jobPrefix = parameters.need('name')
  if (!/^[a-z0-9][a-z0-9-]{0,63}$/.test(jobPrefix) || standing.isTaken(jobPrefix)) throw new OAuthError('invalid_request', 'name')
  const jobsMax = parameters.count('jobs', 10_000)
  const from = Math.floor(now() / 1000) * 1000
  const asked = {
    kind: 'standing-grant' as const,
    human: human.sub,
    orchestrator: client.spiffeId,
    audience: anchors.audience,
    grants: [...grantsToShow(parameters)],
    mayDelegateTo: [...parameters.spiffeIds('may_act')],
    jobPrefix,
    jobsMax,
    jobsPerDayMax: parameters.count('jobs_per_day', jobsMax),
    jobSecondsMax: parameters.seconds('job_lifetime', 300, daySeconds, 3600),
    from,
    until: from + parameters.seconds('validity', 3600, validitySecondsMax, 7 * daySeconds) * 1000,
    nonce: randomBytes(32).toString('base64url'),
  }
  const grant: StandingGrant = { ...asked, summary: summaryOfStandingGrant(asked) }
  const { userCode } = requests.open(grant, now())
  const uri = `${parts.issuer}/grants`
  return {
    standing_grant: digest(canonicalBytes(grant)),
    user_code: userCode,
    verification_uri: uri,
    verification_uri_complete: `${uri}/${userCode}`,
    expires_in: answerMs / 1000,
  }
}

/** The human has signed: the grant stands as soon as it is recorded. @throws OAuthError */
export async function keepStandingGrant(
  pending: PendingGrant,
  grant: StandingGrant,
  consent: Consent,
  parts: Parts,
): Promise<void> {
  const { standing, requests, log } = parts
  if (!standing.reserve(grant.jobPrefix)) throw new OAuthError('invalid_grant', 'standing grant: its name was taken meanwhile')
  const record = recordOfStandingGrant(consent)
  try {
    await log.stands(grant, consent, record)
    standing.add(record)
  } finally {
    standing.release(grant.jobPrefix)
  }
  requests.end(pending.deviceCode)
}

/** The root token of a job that begins now, nobody being asked: its human signed for it before. @throws OAuthError */
export async function startStandingJob(
  parameters: Parameters,
  client: Client,
  parts: Parts,
): Promise<TokenAnswer & { readonly job: string }> {
  const { standing, issued, tables, key, now } = parts
  const id = parameters.need('standing_grant')
  const kept = standing.get(id)
  if (kept?.grant.orchestrator !== client.spiffeId) throw new OAuthError('invalid_grant', 'standing grant: none of this client')
  if (isRevoked([`standing-grant:${id}`], tables, now())) throw new OAuthError('invalid_grant', 'standing grant: revoked')
  // The human or their passkey may be gone. Asked before a job is counted, and nothing is waited for between counting and naming.
  await consentedTo({ ...widestRoot(kept.grant, parts), consent: kept.consent }, parts)
  const job = standing.begin(kept, now())
  if (issued.ownerOf(job)) throw new OAuthError('invalid_grant', 'standing grant: somebody has a job of that name')
  const terms = termsOf(kept.grant, job)
  if (!terms.ok) throw new OAuthError('invalid_grant', terms.reason)
  const issuing = { issuer: key.spiffeId, now: terms.value.from, lifetime: parameters.lifetime() }
  return { ...(await issue(rootClaims(terms.value, kept.consent, client, issuing), parts)), job }
}
