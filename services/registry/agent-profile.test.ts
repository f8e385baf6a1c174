import { mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as pause } from 'node:timers/promises'
import type { AgentEntry } from '@interlock/contracts'
import { enrolProfile, measurePlatform, openAgent } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { agentSpiffeId } from '@interlock/sdk/trust-domain'
import { openTransport } from '@interlock/tpm'
import { startTestTpm, type TestTpm } from '@interlock/tpm/test-tpm'
import { pemCertificates, type SigningKey } from '@interlock/trust'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it, vi } from 'vitest'
import { admissionOf, reasonOf, startTestRegistry, type TestRegistry } from './test-registry.ts'

const subject = agentSpiffeId('laser-operator', 's1')
const half = 1_800_000

let fixture: Fixture
let tpm: TestTpm
let server: TestRegistry
let directory: string
const address = () => `127.0.0.1:${tpm.port}`
const tpmRoots = () =>
  ['issuercert.pem', 'swtpm-localca-rootca-cert.pem'].flatMap((name) =>
    pemCertificates(readFileSync(join(tpm.caDirectory, name), 'utf8')),
  )
beforeAll(async () => {
  fixture = await createFixture(Date.now())
  tpm = await startTestTpm()
})
afterAll(() => tpm.stop())
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'interlock-profile-'))
  server = await startTestRegistry(fixture, tpmRoots())
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'], now: Date.now() })
})
afterEach(() => {
  vi.useRealTimers()
  server.close()
  rmSync(directory, { recursive: true })
})

async function enrol(platform?: { pcrs: number[]; pcrDigest: string }): Promise<void> {
  const admission = await admissionOf(fixture, { subject, ...(platform && { platform }) })
  await enrolProfile({ directory, registry: server.url, admission, findTpm: () => address() })
}
/** Lets that time pass, and what it starts come to an end. */
async function pass(milliseconds: number, until: () => void): Promise<void> {
  await vi.advanceTimersByTimeAsync(milliseconds)
  for (let at = 0; ; at++) {
    try {
      return until()
    } catch (error) {
      if (at === 400) throw error
      // Sockets take real time, and meanwhile the agent's clock goes on slowly enough for none of them to time out.
      await pause(20)
      await vi.advanceTimersByTimeAsync(250)
    }
  }
}

describe('an agent that was enrolled once', () => {
  it('has a profile that only its owner can read', async () => {
    await enrol()
    for (const name of ['profile.json', 'identity.pem']) expect(statSync(join(directory, name)).mode & 0o077).toBe(0)
    expect(readFileSync(join(directory, 'profile.json'), 'utf8')).not.toContain('PRIVATE')
  })

  it('opens it at each start, with the same key, and asks for nothing', async () => {
    await enrol()
    const asked = server.appraisals.length
    const keys = []
    for (let start = 0; start < 2; start++) {
      const agent = await openAgent(directory)
      keys.push(agent.key.keyId)
      await agent.close()
    }
    expect(new Set(keys).size).toBe(1)
    expect(server.appraisals).toHaveLength(asked)
  })

  it('has its next certificate at half of its life, and its tokens first', async () => {
    await enrol()
    const seen: [string, string][] = []
    const agent = await openAgent(directory, {
      onRenewed: async (key: SigningKey) => void seen.push([agent.key.keyId, key.keyId]),
    })
    const before = agent.key.keyId
    await pass(half - 60_000, () => expect(seen).toEqual([]))
    await pass(61_000, () => expect(agent.key.keyId).not.toBe(before))
    expect(seen).toEqual([[before, agent.key.keyId]])
    await agent.close()
    const again = await openAgent(directory)
    expect(again.key.keyId).toBe(agent.key.keyId)
    await again.close()
  })

  it('goes on with what it has while the registry is away, and is renewed a minute after it is back', async () => {
    await enrol()
    const failures: unknown[] = []
    const agent = await openAgent(directory, { onFailure: (error) => failures.push(error) })
    const before = agent.key.keyId
    server.isLogAway = true
    await pass(half + 1000, () => expect(failures).toHaveLength(1))
    expect(agent.key.keyId).toBe(before)
    server.isLogAway = false
    await pass(61_000, () => expect(agent.key.keyId).not.toBe(before))
    await agent.close()
  })

  it('signs nothing by a certificate that ended', async () => {
    await enrol()
    const agent = await openAgent(directory, { onFailure: () => {} })
    server.isLogAway = true
    vi.setSystemTime(Date.now() + 2 * half + 1000)
    expect(() => agent.key).toThrow(/certificate .* ended/)
    await agent.close()
    expect(await reasonOf(openAgent(directory))).toBe('certificate-expired')
  })

  it('is told where it was suspended', async () => {
    await enrol()
    server.agents.set(`instance:${subject}`, { ...server.agents.get(`instance:${subject}`), state: 'suspended' } as AgentEntry)
    const failures: unknown[] = []
    const agent = await openAgent(directory, { onFailure: (error) => failures.push(error) })
    await pass(half + 1000, () => expect(failures).toMatchObject([{ code: 'assertion-refused' }]))
    await agent.close()
  })

  it('has its key in the TPM where it was admitted with one, and only the certificate in the profile', async () => {
    const transport = await openTransport(address())
    const { pcrs, pcrDigest } = await measurePlatform(transport, [0, 4, 7])
    await transport.close()
    await enrol({ pcrs: [...pcrs], pcrDigest })
    expect(readFileSync(join(directory, 'identity.pem'), 'utf8')).not.toContain('PRIVATE')
    expect(server.agents.get(`instance:${subject}`)).toMatchObject({ assurance: 'tpm' })
    const failures: unknown[] = []
    const agent = await openAgent(directory, { onFailure: (error) => failures.push(error) })
    const before = agent.key.keyId
    await pass(half - 60_000, () => {})
    await pass(0, () => expect([...failures, agent.key.keyId]).not.toEqual([before]))
    expect(failures).toEqual([])
    expect(await agent.key.sign(Buffer.from('an intent'))).toHaveLength(64)
    await agent.close()
  }, 30_000)
})

describe('a profile that is none', () => {
  it('is named, with what makes one', async () => {
    expect(await reasonOf(openAgent(join(directory, 'nowhere')))).toBe('profile-missing')
    writeFileSync(join(directory, 'profile.json'), '{"registry":1}')
    expect(await reasonOf(openAgent(directory))).toBe('profile-malformed')
    const enrolled = enrolProfile({ directory, registry: server.url, admission: 'hello', findTpm: () => '' })
    expect(await reasonOf(enrolled)).toBe('admission-malformed')
  })
})
