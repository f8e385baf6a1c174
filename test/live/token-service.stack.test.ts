import { readStackFile } from '@interlock/cli'
import { stageNames } from '@interlock/contracts'
import { consentToGrant, followTopics, readGrantRequest, signAgentAssertion, TokenClient } from '@interlock/sdk'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { jobGrants, operatorGrants } from '@interlock/sdk/trust-domain'
import { readTaskToken } from '@interlock/trust'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enterLive, type Live } from './live-system.ts'

/** The token service on the real broker: what it issues is recorded and counts, what it revokes is in force, and a kill takes nothing back. */
describe('the token service', () => {
  let live: Live
  let issuer: string
  let client: TokenClient
  beforeAll(async () => {
    live = await enterLive([...stageNames, 'outcomes', 'token-service'])
    issuer = readStackFile(live.system.layout).tokenService ?? ''
    client = await TokenClient.open(issuer, live.world.key('agent-job-orchestrator-o1'))
  })
  afterAll(() => live.leave())

  const laser = () => live.world.key('agent-laser-operator-z1')
  const service = () => {
    const found = live.system.services.find(({ name }) => name === 'token-service')
    if (!found) throw new Error('the token service does not run')
    return found
  }
  async function rootToken(job: string): Promise<string> {
    const requested = await client.requestJob({ human: 'alice', grants: jobGrants, mayDelegateTo: [laser().spiffeId], job })
    const shown = await readGrantRequest(requested.verificationUri)
    await consentToGrant(requested.verificationUri, shown, live.world.passkeys.get('alice') as SoftwarePasskey)
    return client.rootToken(requested)
  }
  const child = async (token: string) =>
    client.exchange({ token, actorToken: await signAgentAssertion(laser(), issuer, 'actor'), grants: operatorGrants('laser-1') })
  const digestOf = (token: string) => {
    const read = readTaskToken(token)
    return read.ok ? read.value.digest : ''
  }

  it('gives out nothing that is not in its topic, whenever it is killed, and knows after a restart all that it gave', async () => {
    const root = await rootToken('job-killed')
    const given: string[] = []
    for (let round = 0; round < 3; round += 1) {
      const asking = (async () => {
        // Until the kill cuts it off.
        for (;;) given.push(await child(root))
      })().catch(() => {})
      await new Promise((resolve) => setTimeout(resolve, 200 + Math.random() * 300))
      await service().kill()
      await asking
      await service().restart()
    }
    expect(given.length).toBeGreaterThan(3)

    const recorded = new Set<string>()
    const following = await followTopics(live.kafka, {
      topics: ['tokens'],
      from: 'start',
      take: ({ value }) => {
        const read = value && live.world.codec.decode('tokens', value, 'IssuedToken')
        if (read?.ok) recorded.add(digestOf(`${read.value.signingInput}.AA`))
      },
    })
    await following.caughtUp
    await following.stop()
    for (const token of [root, ...given]) expect(recorded.has(digestOf(token))).toBe(true)
    for (const token of [root, ...given]) expect((await client.introspect(token)).active).toBe(true)
  }, 120_000)

  it('ends a token for every stage', async () => {
    const root = await rootToken('job-ended')
    const token = await child(root)
    const submit = async () => {
      const intent = await live.world.laserCut({ job: 'job-ended', tokens: [root, token] })
      await live.world.submit(intent)
      return live.outcomeOf(intent.intentId)
    }
    expect(await submit()).toMatchObject({ status: 'completed' })
    await client.revoke(root)
    // The table reaches each stage by itself; in tests no time is asserted.
    await live.quiet()
    expect(await submit()).toMatchObject({ status: 'denied', stage: 'delegation-check', reasons: ['revoked'] })
  }, 90_000)
})
