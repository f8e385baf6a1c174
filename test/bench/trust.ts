/** What the trust services cost: tokens and enrolments a second, how soon a revocation is in force, and what a chain of three tokens costs to verify. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { readStackFile } from '@interlock/cli'
import type { TrustBundle } from '@interlock/contracts'
import type { System } from '@interlock/ops/local'
import { AgentHost } from '@interlock/ops/scenario/agent-host'
import type { World } from '@interlock/ops/scenario/world'
import { consentToGrant, delegate, readGrantRequest, signAgentAssertion, TokenClient } from '@interlock/sdk'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { agentSpiffeId, jobGrants, operatorGrants } from '@interlock/sdk/trust-domain'
import { openTrustBundle, verifyDelegation } from '@interlock/trust'
import { measureRevocations } from './revocations.ts'
import { median } from './statistics.ts'

const exchanges = 300
const together = 8
const enrolments = 12

export async function measureTrust({ layout }: System, world: World): Promise<Record<string, number>> {
  const issuer = readStackFile(layout).tokenService ?? ''
  const [orchestrator, laser, mill] = [
    world.key('agent-job-orchestrator-o1'),
    world.key('agent-laser-operator-z1'),
    world.key('agent-mill-operator-z1'),
  ]
  const passkey = world.passkeys.get('alice') as SoftwarePasskey
  const client = await TokenClient.open(issuer, orchestrator)
  const mayDelegateTo = [laser.spiffeId, mill.spiffeId]
  async function rootToken(job: string): Promise<string> {
    const requested = await client.requestJob({ human: 'alice', grants: jobGrants, mayDelegateTo, job })
    await consentToGrant(requested.verificationUri, await readGrantRequest(requested.verificationUri), passkey)
    return client.rootToken(requested)
  }
  const child = async (token: string, to = laser, more: readonly string[] = []) =>
    client.exchange({
      token,
      actorToken: await signAgentAssertion(to, issuer, 'actor'),
      grants: operatorGrants('laser-1'),
      mayDelegateTo: more,
    })

  const root = await rootToken(`bench-${randomUUID()}`)
  const begun = performance.now()
  for (let done = 0; done < exchanges; done += together) await Promise.all(Array.from({ length: together }, () => child(root)))
  const exchangesPerS = (exchanges * 1000) / (performance.now() - begun)

  const second = await child(root, laser, [mill.spiffeId])
  const to = { spiffeId: mill.spiffeId, certificateThumbprint: mill.keyId }
  const three = await delegate({
    tokens: [root, second],
    key: laser,
    to,
    grants: operatorGrants('laser-1'),
    validitySeconds: 600,
  })
  const bundle = JSON.parse(readFileSync(layout.trustBundle, 'utf8')) as TrustBundle
  const verify = (anchors: ReturnType<typeof openTrustBundle>): number => {
    const from = performance.now()
    const expected = {
      anchors,
      now: Date.now(),
      skewMs: 30_000,
      revocations: new Map(),
      agent: mill.spiffeId,
      thumbprint: mill.keyId,
    }
    const verified = verifyDelegation(three, expected)
    if (!verified.ok) throw new Error(`a good chain is refused: ${verified.reason}`)
    return (performance.now() - from) * 1000
  }
  const cold = Array.from({ length: 50 }, () => verify(openTrustBundle(bundle)))
  const known = openTrustBundle(bundle)
  const warm = Array.from({ length: 500 }, () => verify(known))

  const host = await AgentHost.start({
    layout,
    audience: world.anchors.audience,
    subject: agentSpiffeId('laser-operator', 'tpm1'),
  })
  const enrolling = performance.now()
  for (let count = 0; count < enrolments; count += 1) await host.enrol()
  const enrolmentsPerS = (enrolments * 1000) / (performance.now() - enrolling)
  await host.stop()
  return {
    exchanges_per_s: exchangesPerS,
    enrolments_per_s: enrolmentsPerS,
    ...(await measureRevocations(world, layout)),
    chain_of_three_cold_us: median(cold),
    chain_of_three_warm_us: median(warm),
  }
}
