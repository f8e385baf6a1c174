import { type Layout, readStackFile, signingKeyOf } from '@interlock/cli'
import type { DeviceGrant } from '@interlock/contracts'
import { consentToGrant, readGrantRequest, signAgentAssertion, TokenClient } from '@interlock/sdk'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { jobGrants, operatorGrants } from '@interlock/sdk/trust-domain'
import type { SigningKey } from '@interlock/trust'

export type TokensToObtain = {
  readonly layout: Layout
  /** Of the human who starts the job. */
  readonly passkey: SoftwarePasskey
  /** Of the agent that asks for the job and hands it on; the laboratory's own where left out. */
  readonly orchestrator?: SigningKey
  /** Of the laser operator that the tokens are for. */
  readonly key: SigningKey
  readonly job: string
  /** What the human grants, and the operator gets; the laboratory's own where left out. */
  readonly grants?: readonly DeviceGrant[]
}

/** A job of a human's for one agent: the orchestrator asks, the human consents, the agent gets its narrower token by exchange. */
export async function obtainTokens({
  layout,
  passkey,
  orchestrator,
  key,
  job,
  grants,
}: TokensToObtain): Promise<readonly string[]> {
  const issuer = readStackFile(layout).tokenService ?? ''
  const client = await TokenClient.open(issuer, orchestrator ?? signingKeyOf(layout, 'agent-job-orchestrator-o1'))
  const mayDelegateTo = [key.spiffeId]
  const requested = await client.requestJob({ human: passkey.human, grants: grants ?? jobGrants, mayDelegateTo, job })
  await consentToGrant(requested.verificationUri, await readGrantRequest(requested.verificationUri), passkey)
  const root = await client.rootToken(requested)
  const actorToken = await signAgentAssertion(key, issuer, 'actor')
  return [root, await client.exchange({ token: root, actorToken, grants: grants ?? operatorGrants('laser-1') })]
}
