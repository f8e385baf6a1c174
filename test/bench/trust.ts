/** What the trust services cost: tokens and enrolments a second, how soon a revocation is in force, and what a chain of three tokens costs to verify. */
import { randomUUID } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { setTimeout as wait } from 'node:timers/promises'
import { readStackFile } from '@interlock/cli'
import type { IntentId, TrustBundle } from '@interlock/contracts'
import type { System } from '@interlock/ops/local'
import { AgentHost } from '@interlock/ops/scenario/agent-host'
import type { World } from '@interlock/ops/scenario/world'
import { consentToGrant, delegate, readGrantRequest, signAgentAssertion, TokenClient } from '@interlock/sdk'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { agentSpiffeId, jobGrants, operatorGrants } from '@interlock/sdk/trust-domain'
import { openTrustBundle, verifyDelegation } from '@interlock/trust'
import { median, percentile } from './statistics.ts'

const exchanges = 300
const together = 8
const enrolments = 12
const revocations = 20
const sendEveryMs = 20
const sendForMs = 800

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
      actorToken: await signAgentAssertion(to, issuer),
      grants: operatorGrants('laser-1'),
      mayDelegateTo: more,
    })

  const root = await rootToken(`bench-${randomUUID()}`)
  const begun = performance.now()
  for (let done = 0; done < exchanges; done += together) await Promise.all(Array.from({ length: together }, () => child(root)))
  const exchangesPerS = (exchanges * 1000) / (performance.now() - begun)

  const inForce: number[] = []
  for (let round = 0; round < revocations; round += 1) {
    const job = `bench-${randomUUID()}`
    const first = await rootToken(job)
    inForce.push(await untilInForce(client, world, { job, tokens: [first, await child(first)] }))
  }

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
    revocation_p50_ms: median(inForce),
    revocation_p99_ms: percentile(inForce, 0.99),
    chain_of_three_cold_us: median(cold),
    chain_of_three_warm_us: median(warm),
  }
}

/** Milliseconds from when the revocation was asked for to the last decision that still let one pass. */
async function untilInForce(
  client: TokenClient,
  world: World,
  { job, tokens }: { readonly job: string; readonly tokens: readonly string[] },
): Promise<number> {
  const sent: IntentId[] = []
  const from = Date.now()
  const revoking = client.revoke(tokens[0] ?? '')
  while (Date.now() < from + sendForMs) {
    const intent = await world.laserCut({ job, tokens })
    await world.submit(intent)
    sent.push(intent.intentId)
    await wait(sendEveryMs)
  }
  await revoking
  let last = 0
  for (const intentId of sent) {
    const steps = await world.watch.until(intentId, (seen) => seen.some(isDelegationCheck), 30_000)
    const found = steps.find(isDelegationCheck)
    if (found?.kind === 'decision' && found.record.verdict === 'ALLOW') last = Math.max(last, found.record.decidedAt - from)
  }
  return last
}

const isDelegationCheck = (step: ReturnType<World['watch']['steps']>[number]) =>
  step.kind === 'decision' && step.record.stage === 'delegation-check'
