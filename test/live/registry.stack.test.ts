import { randomUUID } from 'node:crypto'
import { buildTrace, loadEvidence, renderTrace } from '@interlock/cli'
import { stageNames } from '@interlock/contracts'
import type { AgentHost } from '@interlock/ops/scenario/agent-host'
import { AgentHosts } from '@interlock/ops/scenario/agent-hosts'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enterLive, type Live } from './live-system.ts'

/** "Human X authorised orchestrator Y to delegate to sub-agent Z, which issued this command from this hardware", on the real parts. */
describe('an agent whose key lives in a TPM', () => {
  let live: Live
  let hosts: AgentHosts
  let host: AgentHost
  let tokens: readonly string[]
  const job = `job-${randomUUID().slice(0, 8)}`
  const alice = () => live.world.passkeys.get('alice') as SoftwarePasskey
  const cut = () => live.world.laserCut({ job, tokens, key: host.key })

  beforeAll(async () => {
    live = await enterLive([...stageNames, 'outcomes', 'audit', 'token-service', 'registry'])
    hosts = await AgentHosts.start(live.system.layout, live.world.anchors.audience)
    host = hosts.operator
    await hosts.enrol()
    // The table reaches each stage by itself.
    await live.quiet()
    tokens = await hosts.tokensFor(alice(), job)
  })
  afterAll(async () => {
    await hosts?.stop()
    await live.leave()
  })

  it('is enrolled, gets a token by its human’s consent, and moves the laser', async () => {
    const intent = await cut()
    await live.world.submit(intent)
    expect(await live.outcomeOf(intent.intentId)).toMatchObject({ status: 'completed' })
  })

  it('has a trace that shows three TPMs, the recorded tokens, and no check that fails', async () => {
    const intent = await cut()
    await live.world.submit(intent)
    await live.outcomeOf(intent.intentId)
    await live.untilAudited()
    const evidence = await loadEvidence(live.clickhouse, live.world.codec, intent.intentId)
    const trace = await buildTrace(intent.intentId, evidence, { anchors: live.world.anchors, codec: live.world.codec })
    const text = renderTrace(trace)
    expect(text.match(/in the TPM/g)).toHaveLength(3)
    expect(text.match(/✓ recorded by the token service/g)).toHaveLength(2)
    expect(text.match(/✗.*/g)).toBeNull()
  })

  it('is known to the registry after a kill, and gets its next certificate', async () => {
    const service = live.system.services.find(({ name }) => name === 'registry')
    await service?.kill()
    await service?.restart()
    const { keyId } = host.key
    await host.renew()
    expect(host.key.keyId).not.toBe(keyId)
  })

  it('has a token of before its renewal no more, and a fresh one moves the laser', async () => {
    const stale = await cut()
    await live.world.submit(stale)
    expect(await live.outcomeOf(stale.intentId)).toMatchObject({ status: 'denied', reasons: ['token-bound-to-another'] })
    tokens = await hosts.tokensFor(alice(), job)
    const intent = await cut()
    await live.world.submit(intent)
    expect(await live.outcomeOf(intent.intentId)).toMatchObject({ status: 'completed' })
  })

  it('moves nothing more once its host boots something else', async () => {
    await host.bootSomethingElse()
    await expect(host.renew()).rejects.toMatchObject({ code: 'pcr-digest' })
    await live.quiet()
    const intent = await cut()
    await live.world.submit(intent)
    expect(await live.outcomeOf(intent.intentId)).toMatchObject({
      status: 'denied',
      stage: 'identity-verify',
      reasons: ['revoked'],
    })
  })
}, 120_000)
