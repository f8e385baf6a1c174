import { randomBytes, randomUUID } from 'node:crypto'
import type { GrantRequest } from '@interlock/contracts'
import { type Assertion, canonicalBytes, summaryOfGrants } from '@interlock/trust'
import { authenticate, type Client } from './client.ts'
import { consentedTo, requester } from './consented.ts'
import type { EndpointRequest } from './endpoint-request.ts'
import type { PendingGrant } from './grant-requests.ts'
import { grantsToShow } from './grants-to-show.ts'
import { issue, type TokenAnswer } from './issue.ts'
import { OAuthError } from './oauth-error.ts'
import type { Parameters } from './parameters.ts'
import type { Parts } from './parts.ts'
import { keepStandingGrant } from './standing-grant-endpoints.ts'
import { rootClaims, widestRoot } from './token-claims.ts'

/** A job may last a day; its tokens an hour at most. */
const jobSecondsMax = 86_400
const jobPattern = /^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$/

/** RFC 8628 §3.1: an orchestrator asks for a job, and its human has to sign. `login_hint` names the human, `may_act` the sub-agents. */
export function requestGrant(request: EndpointRequest, parts: Parts): PendingGrant & { readonly request: GrantRequest } {
  const { requests, issued, anchors, now } = parts
  const { parameters } = request
  const client = authenticate(request, parts)
  const human = requester(parameters.need('login_hint'), parts)
  const grants = grantsToShow(parameters)
  const job = parameters.get('job') ?? `job-${randomUUID()}`
  if (!jobPattern.test(job)) throw new OAuthError('invalid_request', 'job')
  const owner = issued.ownerOf(job)
  if (owner && (owner.human !== human.sub || owner.orchestrator !== client.spiffeId))
    throw new OAuthError('invalid_request', 'the job is another’s')
  const from = Math.floor(now() / 1000) * 1000
  const asked = {
    kind: 'grant' as const,
    human: human.sub,
    job,
    orchestrator: client.spiffeId,
    audience: anchors.audience,
    grants: [...grants],
    mayDelegateTo: [...parameters.spiffeIds('may_act')],
    summary: summaryOfGrants(grants),
    from,
    until: from + parameters.seconds('job_lifetime', 300, jobSecondsMax, 3600) * 1000,
    nonce: randomBytes(32).toString('base64url'),
  }
  return requests.open(asked, now())
}

/** What a human is asked to sign. @throws OAuthError where the code is wrong, answered or over */
export function askedOf(userCode: string, { requests, now }: Parts): PendingGrant {
  const pending = requests.asked(userCode, now())
  if (!pending) throw new OAuthError('invalid_grant', 'user code')
  return pending
}

/** The human's yes. A signature that does not count leaves the question open. @throws OAuthError */
export async function consent(userCode: string, assertion: Assertion, parts: Parts): Promise<void> {
  const pending = askedOf(userCode, parts)
  const text = (bytes: Buffer) => bytes.toString('base64url')
  const given = {
    request: text(canonicalBytes(pending.request)),
    credentialId: assertion.credentialId,
    authenticatorData: text(assertion.authenticatorData),
    clientDataJson: text(assertion.clientDataJson),
    signature: text(assertion.signature),
  }
  await consentedTo({ ...widestRoot(pending.request, parts), consent: given }, parts)
  if (pending.request.kind === 'standing-grant') return keepStandingGrant(pending, pending.request, given, parts)
  pending.state = { kind: 'consented', consent: given }
}

/** The human's no: whoever has the code may say it, since it only ends the question. */
export function deny(userCode: string, parts: Parts): void {
  askedOf(userCode, parts).state = { kind: 'denied' }
}

/** RFC 8628 §3.4: the root token, once the human has signed. */
export async function tokenOfGrant(parameters: Parameters, client: Client, parts: Parts): Promise<TokenAnswer> {
  const { requests, key, now } = parts
  const deviceCode = parameters.need('device_code')
  const { request, consent: given } = requests.answered(deviceCode, client.spiffeId, now())
  const claims = rootClaims(request, given, client, { issuer: key.spiffeId, now: now(), lifetime: parameters.lifetime() })
  // A passkey or a human may have been taken away since they signed.
  await consentedTo(claims, parts)
  const answer = await issue(claims, parts)
  requests.end(deviceCode)
  return answer
}
