import type { Consent, TaskTokenClaims } from '@interlock/contracts'
import { delegationDepthMax, jwkThumbprint, type Svid } from '@interlock/trust'
import { verifyAgentAssertion } from './agent-assertion.ts'
import { authenticate, type Client } from './client.ts'
import { consentedTo } from './consented.ts'
import type { EndpointRequest } from './endpoint-request.ts'
import { tokenOfGrant } from './grant-endpoints.ts'
import { issue, type TokenAnswer, tokenType, tokenTypeOf } from './issue.ts'
import { genuineToken, isActorOf, type LivingToken, livingToken } from './living-token.ts'
import { OAuthError } from './oauth-error.ts'
import type { Parameters } from './parameters.ts'
import type { Parts } from './parts.ts'
import { startStandingJob } from './standing-grant-endpoints.ts'
import { childClaims, type Issuing, rootClaims } from './token-claims.ts'

export const grantTypes = {
  deviceCode: 'urn:ietf:params:oauth:grant-type:device_code',
  exchange: 'urn:ietf:params:oauth:grant-type:token-exchange',
  /** Ours: a job under a standing grant, named by `standing_grant` (RFC 6749 §4.5). */
  standing: 'urn:interlock:params:oauth:grant-type:standing-grant',
} as const

/** RFC 8693 §3: both name what we issue. */
const tokenTypes = [tokenType, 'urn:ietf:params:oauth:token-type:access_token']

/** RFC 6749 §3.2. @throws OAuthError */
export async function token(request: EndpointRequest, parts: Parts): Promise<TokenAnswer> {
  const { parameters } = request
  const client = authenticate(request, parts)
  const type = parameters.need('grant_type')
  if (type === grantTypes.deviceCode) return tokenOfGrant(parameters, client, parts)
  if (type === grantTypes.exchange) return exchange(parameters, client, parts)
  if (type === grantTypes.standing) return startStandingJob(parameters, client, parts)
  throw new OAuthError('unsupported_grant_type', type.slice(0, 100))
}

/** RFC 8693: a narrower token for a sub-agent that proves itself (`actor_token`), or a fresh one for the holder. */
async function exchange(parameters: Parameters, client: Client, parts: Parts): Promise<TokenAnswer> {
  assertOurs(parameters, parts)
  const living = livingToken(parameters.need('subject_token'), parts)
  if (!living.ok) throw new OAuthError('invalid_grant', living.reason)
  const held = living.value
  // Only its holder, which is who the client has proved to be: the certificate may be a newer one than it was bound to.
  if (held.token.claims.act.sub !== client.spiffeId) throw new OAuthError('invalid_grant', 'held by another')
  assertProven(held.token.claims, client)
  const issuing = { issuer: parts.key.spiffeId, now: parts.now(), lifetime: parameters.lifetime() }
  const actorToken = parameters.get('actor_token')
  if (actorToken === undefined) return renew(held, client, parameters, issuing, parts)
  if (parameters.get('actor_token_type') !== tokenType) throw new OAuthError('invalid_request', 'actor_token_type')
  const actor = verifyAgentAssertion(actorToken, { ...parts, now: parts.now() }, 'actor')
  // What every verifier would refuse is not issued.
  if (held.lineage.length >= delegationDepthMax) throw new OAuthError('invalid_target', 'chain too long')
  if (isActorOf(held.token.claims, actor.spiffeId)) throw new OAuthError('invalid_target', 'the actor is in the chain already')
  const asked = { actor: boundAs(actor, client), grants: parameters.grants(), mayDelegateTo: parameters.spiffeIds('may_act') }
  return issue(childClaims(held.token, asked, issuing), parts)
}

/** A token that was asked for with DPoP is not turned into one without (ATTACKS 124). */
function assertProven({ cnf }: TaskTokenClaims, { provenKey }: Client): void {
  if (cnf.jkt !== undefined && provenKey === undefined)
    throw new OAuthError('invalid_dpop_proof', 'none, and the token demands one')
}

/** A sub-agent's token is bound to the sub-agent's own key, which its assertion proved, by the ways in which the client asked. */
const boundAs = (actor: Svid, { provenKey }: Client): Client => ({
  ...actor,
  provenKey: provenKey === undefined ? undefined : jwkThumbprint(actor.publicKey),
})

/** What is asked for must be what we have: nothing is fetched, whatever an address in a parameter says (ATTACKS 127). */
function assertOurs(parameters: Parameters, { anchors }: Parts): void {
  const isOurType = (type: string | undefined) => type === undefined || tokenTypes.includes(type)
  if (!isOurType(parameters.get('requested_token_type'))) throw new OAuthError('invalid_request', 'requested_token_type')
  if (!isOurType(parameters.need('subject_token_type'))) throw new OAuthError('invalid_request', 'subject_token_type')
  if (parameters.get('scope') !== undefined) throw new OAuthError('invalid_scope', 'there are none: authorization_details say it')
  for (const name of ['audience', 'resource'])
    if ((parameters.get(name) ?? anchors.audience) !== anchors.audience) throw new OAuthError('invalid_target', name)
}

/** The same grant for the same agent, bound to the certificate it has now: SVIDs are renewed more often than jobs end. */
async function renew(
  { token: { claims }, lineage }: LivingToken,
  client: Client,
  parameters: Parameters,
  issuing: Issuing,
  parts: Parts,
): Promise<TokenAnswer> {
  if (parameters.get('authorization_details') !== undefined) throw new OAuthError('invalid_request', 'a renewal grants the same')
  const parent = lineage.at(-2)
  if (parent) {
    const asked = { actor: client, grants: claims.authorization_details, mayDelegateTo: claims.may_act?.sub ?? [] }
    return issue(childClaims(parent, asked, issuing), parts)
  }
  const consented = await consentedTo(claims, parts)
  return issue(rootClaims(consented, claims.consent as Consent, client, issuing), parts)
}

/** RFC 7662: whether a token counts now. Nobody but those in its chain of actors is told anything. @throws OAuthError invalid_client */
export function introspect(request: EndpointRequest, parts: Parts): Readonly<Record<string, unknown>> {
  const client = authenticate(request, parts)
  const held = livingToken(request.parameters.need('token'), parts)
  if (!held.ok || !isActorOf(held.value.token.claims, client.spiffeId)) return { active: false }
  // The human's signature is for who verifies the token itself.
  const { consent: _, ...claims } = held.value.token.claims
  return { active: true, token_type: tokenTypeOf(claims), client_id: claims.act.sub, ...claims }
}

/** RFC 7009: ends a token and all that hang on it. What nobody knows is as good as ended. @throws OAuthError */
export async function revoke(request: EndpointRequest, parts: Parts): Promise<void> {
  const { issued, log, now } = parts
  const client = authenticate(request, parts)
  const genuine = genuineToken(request.parameters.need('token'), parts)
  const known = genuine.ok ? issued.get(genuine.value.digest) : undefined
  if (!known) return
  if (!isActorOf(known.claims, client.spiffeId)) throw new OAuthError('invalid_grant', 'somebody else’s token')
  const { iss, jti } = known.claims
  await log.revoked({ kind: 'token', subject: `${iss} ${jti}`, from: now(), reason: reasonOf(client) })
}

/** Ends a job: no token of it counts from now on. @throws OAuthError */
export async function endJob(request: EndpointRequest, parts: Parts): Promise<void> {
  const { issued, log, now } = parts
  const client = authenticate(request, parts)
  const job = request.parameters.need('job')
  if (issued.ownerOf(job)?.orchestrator !== client.spiffeId) throw new OAuthError('invalid_grant', 'no job of this client')
  await log.revoked({ kind: 'job', subject: job, from: now(), reason: reasonOf(client) })
}

const reasonOf = ({ spiffeId }: Svid) => `ended by ${spiffeId}`.slice(0, 400)
