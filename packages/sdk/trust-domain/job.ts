import { randomBytes, randomUUID } from 'node:crypto'
import type { DeviceGrant } from '@interlock/contracts'
import { type SigningKey, signTaskToken, summaryOfGrants } from '@interlock/trust'
import { delegate } from '../orchestrator/delegate.ts'
import { signConsent } from '../sign-consent.ts'
import type { SoftwarePasskey } from '../software-passkey.ts'
import { agentSpiffeId } from './domain.ts'
import { jobGrants, laboratory } from './laboratory.ts'

/** A job's tokens by the name of the agent that holds them: root for the orchestrator, root and child for the operators. */
export type JobTokens = {
  readonly jobId: string
  readonly human: string
  readonly expiresAt: number
  readonly tokens: Readonly<Record<string, readonly string[]>>
}

export type JobRequest = {
  readonly jobId: string
  readonly human: string
  /** The human's: it signs the grant. */
  readonly passkey: SoftwarePasskey
  readonly now: number
  readonly validitySeconds: number
  readonly tokenService: SigningKey
  readonly orchestrator: SigningKey
  readonly operators: ReadonlyMap<'agent-laser-operator-z1' | 'agent-mill-operator-z1', SigningKey>
}

/** What the token service will do: the human's grant, signed by their passkey, as a root token. The orchestrator then attenuates it for each operator, offline. */
export async function issueJob(request: JobRequest): Promise<JobTokens> {
  const { jobId, human, now, validitySeconds, tokenService, orchestrator } = request
  const iat = Math.floor(now / 1000)
  const operators = [agentSpiffeId('laser-operator', 'z1'), agentSpiffeId('mill-operator', 'z1')]
  const consent = signConsent(
    {
      kind: 'grant',
      human,
      job: jobId,
      orchestrator: orchestrator.spiffeId,
      audience: laboratory.audience,
      grants: [...jobGrants],
      mayDelegateTo: operators,
      summary: summaryOfGrants(jobGrants),
      from: iat * 1000,
      until: (iat + validitySeconds) * 1000,
      nonce: randomBytes(32).toString('base64url'),
    },
    request.passkey,
  )
  const root = await signTaskToken(
    {
      iss: tokenService.spiffeId,
      sub: human,
      aud: laboratory.audience,
      iat,
      exp: iat + validitySeconds,
      jti: randomUUID(),
      job: jobId,
      act: { sub: orchestrator.spiffeId },
      cnf: { 'x5t#S256': orchestrator.keyId },
      authorization_details: [...jobGrants],
      consent,
      may_act: { sub: operators },
    },
    { kid: tokenService },
  )
  const children = await Promise.all(
    [...request.operators].map(async ([name, key]) => {
      const device = name === 'agent-laser-operator-z1' ? 'laser-1' : 'mill-1'
      const tokens = await delegate({
        tokens: [root],
        key: orchestrator,
        to: { spiffeId: key.spiffeId, certificateThumbprint: key.keyId },
        grants: operatorGrants(device),
        validitySeconds,
        now,
      })
      return [name, tokens] as const
    }),
  )
  const expiresAt = (iat + validitySeconds) * 1000
  return { jobId, human, expiresAt, tokens: { 'agent-job-orchestrator-o1': [root], ...Object.fromEntries(children) } }
}

/** An operator gets its own machine and half of the count: what is left is the orchestrator's to give again. */
export function operatorGrants(device: string): DeviceGrant[] {
  return jobGrants
    .filter(({ locations }) => locations.includes(device))
    .map((grant) => ({ ...grant, maxCount: grant.maxCount / 2 }))
}
