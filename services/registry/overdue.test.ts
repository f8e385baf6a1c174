import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { AgentEntry, DeviceEntry } from '@interlock/contracts'
import { type Enrolment, enrolAgent, enrolDevice, reappraiseDevice, renewAgent } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { agentSpiffeId, deviceEntry, deviceProfiles } from '@interlock/sdk/trust-domain'
import { pcrDigestOf, pcrExtend, pcrRead, type TpmTransport } from '@interlock/tpm'
import { startTestTpm, type TestTpm } from '@interlock/tpm/test-tpm'
import { type AgentTables, standingRefusal, validateSvid } from '@interlock/trust'
import { array, asyncProperty, constantFrom, assert as fcAssert, integer, record } from 'fast-check'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { agentAppraisalAgeMsMax, sweepPlatforms } from './overdue.ts'
import { RevocationWatch } from './revocation-watch.ts'
import { Supervision } from './supervise.ts'
import { admissionOf, reasonOf, startTestRegistry, type TestRegistry } from './test-registry.ts'

const laser = agentSpiffeId('laser-operator', 'z9')
const device = 'spiffe://lab.interlock.example/device/laser-1'
const pcrs = [0, 7]
const deviceAgeMsMax = 60_000

let fixture: Fixture
let tpm: TestTpm
let transport: TpmTransport
let server: TestRegistry
beforeAll(async () => {
  fixture = await createFixture(Date.now())
  tpm = await startTestTpm()
  transport = await tpm.open()
}, 60_000)
afterAll(async () => {
  await transport.close()
  await tpm.stop()
})
beforeEach(async () => {
  server = await startTestRegistry(fixture, [certificate('swtpm-localca-rootca-cert.pem')])
})
afterEach(() => server.close())

const certificate = (name: string) => Buffer.from(new X509Certificate(readFileSync(join(tpm.caDirectory, name))).raw)
const enrolment = (): Enrolment => ({
  ...{ registry: server.url, transport, pcrs },
  intermediates: [certificate('issuercert.pem')],
})
const platform = async () => ({ pcrs, pcrDigest: pcrDigestOf(await pcrRead(transport, pcrs)).toString('base64url') })
async function enrolled() {
  const agent = await enrolAgent(enrolment(), await admissionOf(fixture, { subject: laser, platform: await platform() }))
  await agent.close()
  return agent.key
}
async function enrolledDevice(): Promise<void> {
  const entry = {
    ...{ device: 'laser-1', spiffeId: device, state: 'active' as const, demandsAssurance: 'tpm' as const },
    ...(deviceProfiles['laser-1'] as (typeof deviceProfiles)[string]),
    ...{ appraisalAgeMsMax: 60_000, attestationAgeMsMax: deviceAgeMsMax },
  }
  const admission = { subject: device, platform: await platform(), device: entry }
  await enrolDevice(enrolment(), await admissionOf(fixture, admission))
}
async function swept() {
  const events = { lapsed: [] as string[], failed: [] as string[] }
  await sweepPlatforms(server.parts, {
    lapsed: ({ subject }) => events.lapsed.push(subject),
    failed: (subject) => events.failed.push(subject),
  })
  return events
}
const agentState = () => server.agents.get(`instance:${laser}`) as { state?: string; assurance?: string } | undefined
const tables = (): AgentTables => ({ agents: server.agents, revocations: server.revocations })
const rules = () => server.alerts.map(({ rule }) => rule)

describe('a platform that does not come to be appraised', () => {
  it('attack 33: lapses at its bound, and not before', async () => {
    await enrolled()
    server.clockMs = agentAppraisalAgeMsMax - 5000
    expect(await swept()).toEqual({ lapsed: [], failed: [] })
    server.clockMs = agentAppraisalAgeMsMax + 1000
    expect((await swept()).lapsed).toEqual([laser])
    expect(agentState()).toMatchObject({ state: 'lapsed', assurance: 'software' })
    expect(server.alerts).toMatchObject([{ rule: 'appraisal-overdue', subject: laser, severity: 'high', source: 'registry' }])
    expect(await swept()).toEqual({ lapsed: [], failed: [] })
    expect(server.alerts).toHaveLength(1)
  })

  it('attack 33: loses its certificates, and with them all tokens that are bound to one', async () => {
    const key = await enrolled()
    server.clockMs = agentAppraisalAgeMsMax + 1000
    await swept()
    expect(server.revocations.get(`certificate:${key.keyId}`)).toMatchObject({ reason: 'appraisal-overdue' })
    const svid = validateSvid(key.chain, fixture.trust.anchors, Date.now(), 30_000)
    if (!svid.ok) throw new Error(svid.reason)
    expect(standingRefusal(svid.value, tables(), server.parts.now())).toBe('instance-not-active')
  })

  it('comes back by the next good appraisal, without a new admission; what it held before stays ended', async () => {
    const before = await enrolled()
    server.clockMs = agentAppraisalAgeMsMax + 1000
    await swept()
    const agent = await renewAgent(enrolment(), laser)
    await agent.close()
    expect(agentState()).toMatchObject({ state: 'active', assurance: 'tpm' })
    const standing = (key: { keyId: string; chain: readonly Buffer[] }) => {
      const svid = validateSvid(key.chain, fixture.trust.anchors, server.parts.now() - 2000, 30_000)
      return svid.ok ? standingRefusal(svid.value, tables(), server.parts.now()) : svid.reason
    }
    expect([standing(before), standing(agent.key)]).toEqual(['revoked', undefined])
  })

  it('attack 32: nor does one whose evidence no longer verifies stay what it was', async () => {
    await enrolled()
    const other = await startTestTpm()
    const foreign = await other.open()
    try {
      expect(await reasonOf(renewAgent({ ...enrolment(), transport: foreign }, laser))).toBe('signature-invalid')
    } finally {
      await foreign.close()
      await other.stop()
    }
    server.clockMs = agentAppraisalAgeMsMax + 1000
    await swept()
    expect(agentState()).toMatchObject({ state: 'lapsed' })
  })

  it('a device lapses by the age that its own entry allows, and comes back likewise', async () => {
    await enrolledDevice()
    server.clockMs = deviceAgeMsMax + 1000
    expect((await swept()).lapsed).toEqual([device])
    expect(server.devices.get('laser-1')?.state).toBe('lapsed')
    await reappraiseDevice(enrolment(), device)
    expect(server.devices.get('laser-1')?.state).toBe('active')
  })

  it('is not made to lapse on an entry that is behind what was just found', async () => {
    await enrolled()
    server.clockMs = agentAppraisalAgeMsMax + 1000
    const known = server.parts.platforms.get(laser)
    if (known) server.parts.platforms.set(laser, { ...known, appraisedAt: server.parts.now() })
    expect(await swept()).toEqual({ lapsed: [], failed: [] })
  })

  it('lapses later where it could not be written down, and is told of once', async () => {
    await enrolled()
    server.clockMs = agentAppraisalAgeMsMax + 1000
    server.isLogAway = true
    expect((await swept()).failed).toEqual([laser])
    expect(agentState()?.state).toBe('active')
    server.isLogAway = false
    expect((await swept()).lapsed).toEqual([laser])
    expect(rules()).toEqual(['appraisal-overdue'])
  })

  it('attack 33: lapses though no alert can be written, which is told later, once', async () => {
    await enrolledDevice()
    server.clockMs = deviceAgeMsMax + 1000
    const { log } = server.parts
    const { alert } = log
    log.alert = () => Promise.reject(new Error('away'))
    expect(await swept()).toEqual({ lapsed: [device], failed: [device] })
    expect(server.devices.get('laser-1')?.state).toBe('lapsed')
    log.alert = alert
    const supervision = new Supervision(server.parts, new RevocationWatch(), () => Promise.reject(new Error('away')), {
      lapsed: () => {},
      failed: () => {},
      unsaid: () => {},
    })
    await supervision.look()
    await supervision.look()
    expect(server.alerts).toMatchObject([{ rule: 'appraisal-overdue', subject: device }])
  })

  it('does not lapse where it was suspended meanwhile', async () => {
    await enrolled()
    server.clockMs = agentAppraisalAgeMsMax + 1000
    const { log } = server.parts
    const { revoked } = log
    log.revoked = async (entry) => {
      await revoked(entry)
      server.agents.set(`instance:${laser}`, { ...agentState(), state: 'suspended' } as AgentEntry)
    }
    expect(await swept()).toEqual({ lapsed: [], failed: [] })
    expect(agentState()?.state).toBe('suspended')
  })

  it('suspended while it was found good stays suspended, and has no certificate', async () => {
    await enrolled()
    const suspend = () => server.agents.set(`instance:${laser}`, { ...agentState(), state: 'suspended' } as AgentEntry)
    const { log } = server.parts
    const { appraised } = log
    log.appraised = async (appraisal) => {
      await appraised(appraisal)
      suspend()
    }
    expect(await reasonOf(renewAgent(enrolment(), laser))).toBe('not-active')
    expect(agentState()?.state).toBe('suspended')
  })
})

describe('what was revoked', () => {
  const revoke = (kind: 'agent' | 'device', subject: string) =>
    server.revocations.set(`${kind}:${subject}`, { kind, subject, from: Date.now() - 1, reason: 'test' })

  it('attack 57: a device is neither appraised again nor admitted anew', async () => {
    await enrolledDevice()
    revoke('device', 'laser-1')
    expect(await reasonOf(reappraiseDevice(enrolment(), device))).toBe('revoked')
    expect(await reasonOf(enrolledDevice())).toBe('revoked')
  })

  it('attack 57: nor an agent with a TPM', async () => {
    await enrolled()
    revoke('agent', laser)
    expect(await reasonOf(renewAgent(enrolment(), laser))).toBe('revoked')
    expect(await reasonOf(enrolled())).toBe('revoked')
  })
})

describe('a platform that is not as it was', () => {
  it('attack 32: is suspended, its certificates end, and a human hears of it; time does not bring it back', async () => {
    const key = await enrolled()
    await pcrExtend(transport, 7, Buffer.alloc(32, 9))
    expect(await reasonOf(renewAgent(enrolment(), laser))).toBe('pcr-digest')
    expect(agentState()?.state).toBe('suspended')
    expect(server.revocations.get(`certificate:${key.keyId}`)).toMatchObject({ reason: 'pcr-digest' })
    expect(server.alerts).toMatchObject([{ rule: 'appraisal-failed', severity: 'critical', subject: laser }])
    server.clockMs = agentAppraisalAgeMsMax + 1000
    expect(await swept()).toEqual({ lapsed: [], failed: [] })
    expect(await reasonOf(renewAgent(enrolment(), laser))).toBe('not-active')
  })

  it('attack 34: counters that went back are an alert of their own', async () => {
    await enrolled()
    const known = server.parts.platforms.get(laser)
    if (known?.kind !== 'platform') throw new Error('not enrolled')
    server.parts.platforms.set(laser, { ...known, counters: { ...known.counters, resetCount: known.counters.resetCount + 1 } })
    expect(await reasonOf(renewAgent(enrolment(), laser))).toBe('counter-rollback')
    expect(rules()).toEqual(['counter-rollback'])
  })
})

describe('attack 134: each platform is judged by itself', () => {
  const platforms = array(
    record({
      kind: constantFrom('agent', 'device'),
      state: constantFrom('active', 'active', 'active', 'suspended', 'retired', 'lapsed'),
      assurance: constantFrom('tpm', 'tee', 'software'),
      ageMs: integer({ min: 0, max: 2 * agentAppraisalAgeMsMax }),
      isUnwritable: constantFrom(false, false, false, true),
    }),
    { maxLength: 40 },
  )

  it('whoever is overdue lapses, once, and nobody else does, whichever of them cannot be written down', async () => {
    const template = deviceEntry('laser-1', { attestationKey: 'AA', pcrs: [0], pcrDigest: 'A'.repeat(43) }, Date.now())
    await fcAssert(
      asyncProperty(platforms, async (plan) => {
        const at = Date.now()
        server.agents.clear()
        server.devices.clear()
        const expected: string[] = []
        const unwritable = new Set<string>()
        for (const [index, { kind, state, assurance, ageMs, isUnwritable }] of plan.entries()) {
          const appraisedAt = at - ageMs
          const spiffeId = kind === 'agent' ? agentSpiffeId('laser-operator', `p${index}`) : `${device}${index}`
          const ageMsMax = kind === 'agent' ? agentAppraisalAgeMsMax : deviceAgeMsMax
          const base = { spiffeId, state, assurance, appraisedAt }
          if (kind === 'agent')
            server.agents.set(`instance:${spiffeId}`, { kind: 'instance', definition: 'laser-operator', ...base } as AgentEntry)
          else {
            const attestation = { ...template.attestation, appraisedAt, appraisalAgeMsMax: ageMsMax }
            server.devices.set(`d${index}`, { ...template, device: `d${index}`, spiffeId, state, attestation } as DeviceEntry)
          }
          if (isUnwritable) unwritable.add(spiffeId)
          if (state === 'active' && (kind === 'device' || assurance !== 'software') && ageMs > ageMsMax) expected.push(spiffeId)
        }
        const { log } = server.parts
        const lapsed: string[] = []
        const failed: string[] = []
        await sweepPlatforms(
          {
            ...server.parts,
            now: () => at,
            log: {
              ...log,
              agent: async (id, entry) =>
                unwritable.has(id.slice('instance:'.length)) ? Promise.reject(new Error('away')) : log.agent(id, entry),
              device: async (entry) => (unwritable.has(entry.spiffeId) ? Promise.reject(new Error('away')) : log.device(entry)),
            },
          },
          { lapsed: ({ subject }) => lapsed.push(subject), failed: (subject) => failed.push(subject) },
        )
        expect([...lapsed, ...failed].sort()).toEqual(expected.sort())
        expect(failed.sort()).toEqual(expected.filter((subject) => unwritable.has(subject)).sort())
        const all = [...server.agents.values(), ...server.devices.values()] as { spiffeId: string; state: string }[]
        const now = all.filter(({ state }) => state === 'lapsed').map(({ spiffeId }) => spiffeId)
        const were = plan.flatMap(({ state, kind }, index) =>
          state === 'lapsed' ? [kind === 'agent' ? agentSpiffeId('laser-operator', `p${index}`) : `${device}${index}`] : [],
        )
        expect(now.sort()).toEqual([...were, ...lapsed].sort())
      }),
      { numRuns: 60 },
    )
  })
})
