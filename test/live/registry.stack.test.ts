import { randomUUID } from 'node:crypto'
import { readStackFile } from '@interlock/cli'
import { stageNames } from '@interlock/contracts'
import { startTpm } from '@interlock/ops/local'
import {
  consentToGrant,
  type EnrolledAgent,
  enrolAgent,
  readGrantRequest,
  renewAgent,
  signAgentAssertion,
  TokenClient,
} from '@interlock/sdk'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { agentSpiffeId, jobGrants, operatorGrants } from '@interlock/sdk/trust-domain'
import { openSocketTransport, pcrExtend, type TpmTransport } from '@interlock/tpm'
import { signAdmission } from '@interlock/trust'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enterLive, type Live } from './live-system.ts'

const subject = agentSpiffeId('laser-operator', 'tpm1')

/** "Human X authorised orchestrator Y to delegate to sub-agent Z, which issued this command from this hardware", on the real parts. */
describe('an agent whose key lives in a TPM', () => {
  let live: Live
  let tpm: Awaited<ReturnType<typeof startTpm>>
  let transport: TpmTransport
  let agent: EnrolledAgent
  let tokens: readonly string[]
  const job = `job-${randomUUID().slice(0, 8)}`
  const enrolment = () => ({
    registry: readStackFile(live.system.layout).enrolment ?? '',
    transport,
    pcrs: tpm.enrolment.pcrs,
  })
  const isKnown = async () => {
    // The table reaches each stage by itself.
    await live.quiet()
  }
  const cut = () => live.world.laserCut({ job, tokens, key: agent.key })

  beforeAll(async () => {
    live = await enterLive([...stageNames, 'outcomes', 'token-service', 'registry'])
    tpm = await startTpm({ directory: live.system.layout.directory, device: 'agent-host' })
    const [host, port] = tpm.address.split(':')
    transport = await openSocketTransport({ host: host ?? '', port: Number(port) })
    const operator = live.world.key('operator-dev')
    const iat = Math.floor(Date.now() / 1000)
    const { pcrs, pcrDigest } = tpm.enrolment
    const admission = await signAdmission(
      {
        ...{ iss: operator.spiffeId, aud: live.world.anchors.audience, jti: randomUUID(), iat, exp: iat + 600 },
        ...{ subject, pcrs: [...pcrs], pcrDigest },
      },
      operator,
    )
    agent = await enrolAgent(enrolment(), admission)
    await isKnown()
    tokens = await jobFor()
  })
  afterAll(async () => {
    await agent?.close()
    await transport?.close()
    await tpm?.stop()
    await live.leave()
  })

  async function jobFor(): Promise<readonly string[]> {
    const issuer = readStackFile(live.system.layout).tokenService ?? ''
    const client = await TokenClient.open(issuer, live.world.key('agent-job-orchestrator-o1'))
    const requested = await client.requestJob({ human: 'alice', grants: jobGrants, mayDelegateTo: [subject], job })
    const shown = await readGrantRequest(requested.verificationUri)
    await consentToGrant(requested.verificationUri, shown, live.world.passkeys.get('alice') as SoftwarePasskey)
    const root = await client.rootToken(requested)
    const actorToken = await signAgentAssertion(agent.key, issuer)
    return [root, await client.exchange({ token: root, actorToken, grants: operatorGrants('laser-1') })]
  }

  it('is enrolled, gets a token by its human’s consent, and moves the laser', async () => {
    const intent = await cut()
    await live.world.submit(intent)
    expect(await live.outcomeOf(intent.intentId)).toMatchObject({ status: 'completed' })
  })

  it('is known to the registry after a kill, and gets its next certificate', async () => {
    const service = live.system.services.find(({ name }) => name === 'registry')
    await service?.kill()
    await service?.restart()
    const { keyId } = agent.key
    await agent.close()
    agent = await renewAgent(enrolment(), subject)
    expect(agent.key.keyId).not.toBe(keyId)
  })

  it('has a token of before its renewal no more, and a fresh one moves the laser', async () => {
    const stale = await cut()
    await live.world.submit(stale)
    expect(await live.outcomeOf(stale.intentId)).toMatchObject({ status: 'denied', reasons: ['token-bound-to-another'] })
    tokens = await jobFor()
    const intent = await cut()
    await live.world.submit(intent)
    expect(await live.outcomeOf(intent.intentId)).toMatchObject({ status: 'completed' })
  })

  it('moves nothing more once its host boots something else', async () => {
    await pcrExtend(transport, 7, Buffer.alloc(32, 1))
    await expect(renewAgent(enrolment(), subject)).rejects.toMatchObject({ code: 'pcr-digest' })
    await isKnown()
    const intent = await cut()
    await live.world.submit(intent)
    expect(await live.outcomeOf(intent.intentId)).toMatchObject({
      status: 'denied',
      stage: 'identity-verify',
      reasons: ['instance-not-active'],
    })
  })
}, 120_000)
