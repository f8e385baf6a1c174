import { spawn } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import { chmodSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { testDice } from '@interlock/attestation/test-dice'
import { stageNames } from '@interlock/contracts'
import { type RunningTpm, startTpm } from '@interlock/ops/local'
import { obtainTokens } from '@interlock/ops/scenario/obtain-tokens'
import { openAgent } from '@interlock/sdk'
import type { SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { agentSpiffeId, deviceProfiles } from '@interlock/sdk/trust-domain'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enterLive, type Live } from './live-system.ts'

const program = fileURLToPath(new URL('../../packages/cli/interlock.ts', import.meta.url))

/** An operator and the owner of a machine, each at their shell, with the real registry, broker and TPM. */
describe('interlock at a shell', () => {
  let live: Live
  let tpm: RunningTpm
  const home = mkdtempSync(join(tmpdir(), 'interlock-home-'))
  const profile = join(home, 'agent')

  beforeAll(async () => {
    live = await enterLive([...stageNames, 'outcomes', 'token-service', 'registry'])
    tpm = await startTpm({ directory: live.system.layout.directory, device: 'shell-host' })
  })
  afterAll(async () => {
    await tpm?.stop()
    await live.leave()
    rmSync(home, { recursive: true })
  })

  /** Asynchronously: a part of what answers it runs in this process. */
  async function interlock(words: readonly string[], input = '') {
    const child = spawn(process.execPath, [program, ...words], { stdio: 'pipe' })
    const said = { out: '', error: '' }
    child.stdout.on('data', (bytes) => (said.out += bytes))
    child.stderr.on('data', (bytes) => (said.error += bytes))
    child.stdin.end(input)
    const status = await new Promise((resolve) => child.once('close', resolve))
    return { status, ...said }
  }
  const here = (...words: string[]) => interlock([...words, '--directory', live.system.layout.directory])
  function file(name: string, value: unknown): string {
    writeFileSync(join(home, name), JSON.stringify(value))
    return join(home, name)
  }
  async function admission(...words: string[]): Promise<string> {
    const { status, out, error } = await here('admit', ...words)
    if (status !== 0) throw new Error(error)
    return out
  }
  const enroll = (kind: string, text: string, ...words: string[]) =>
    interlock([kind, 'enroll', '--admission', '-', '--directory', live.system.layout.directory, ...words], text)

  it('registers a definition, changes it, suspends it', async () => {
    const text = { modelDigest: 'sha256:1', systemPrompt: 'You check parts.', toolManifest: [], version: '1.0.0' }
    const first = await here(
      'definition',
      'register',
      'part-checker',
      '--file',
      file('definition.json', text),
      '--owner',
      'alice',
    )
    expect(first).toMatchObject({ status: 0, out: expect.stringMatching(/^part-checker active, hash \S{43}, owner alice\n$/) })
    const changed = file('changed.json', { ...text, systemPrompt: 'You check nothing.' })
    const second = await here('definition', 'register', 'part-checker', '--file', changed)
    expect(second.status).toBe(0)
    expect(second.out).not.toBe(first.out)
    expect((await here('definition', 'state', 'part-checker', 'suspended')).status).toBe(0)
    expect((await here('definition', 'show', 'part-checker')).out).toBe(second.out.replace('active', 'suspended'))
  })

  it('says what is wrong with a definition, and exits with 64', async () => {
    const wrong = await here('definition', 'register', 'part-checker', '--file', file('wrong.json', { version: 1 }))
    expect(wrong).toMatchObject({ status: 64, error: expect.stringContaining('systemPrompt') })
    expect(await here('definition', 'show', 'nobody')).toMatchObject({ status: 1 })
  })

  it('enrols an agent as software, once for each admission', async () => {
    const text = await admission('agent', agentSpiffeId('laser-operator', 'shell1'))
    expect(await enroll('agent', text, '--profile', join(home, 'software'))).toMatchObject({ status: 0 })
    expect(readdirSync(join(home, 'software')).toSorted()).toEqual(['identity.pem', 'profile.json'])
    const again = await enroll('agent', text, '--profile', join(home, 'other'))
    expect(again).toMatchObject({ status: 78, error: expect.stringContaining('admission-used') })
  })

  it('enrols an agent’s host, and the agent that opens its profile moves the laser', async () => {
    const measured = await interlock(['measure', '--tpm', tpm.address, '--pcrs', '0,4,7'])
    writeFileSync(join(home, 'platform.json'), measured.out)
    const subject = agentSpiffeId('laser-operator', 'shell2')
    const text = await admission('agent', subject, '--platform', join(home, 'platform.json'))
    expect(await enroll('agent', text, '--profile', profile, '--tpm', tpm.address)).toMatchObject({ status: 0, error: '' })
    await live.quiet()
    const agent = await openAgent(profile)
    try {
      const job = `job-${randomUUID().slice(0, 8)}`
      const passkey = live.world.passkeys.get('alice') as SoftwarePasskey
      const tokens = await obtainTokens({ layout: live.system.layout, passkey, key: agent.key, job })
      const intent = await live.world.laserCut({ job, tokens, key: agent.key })
      await live.world.submit(intent)
      expect(await live.outcomeOf(intent.intentId)).toMatchObject({ status: 'completed' })
    } finally {
      await agent.close()
    }
  })

  it('shows who a profile is, and until when', async () => {
    const { status, out } = await interlock(['agent', 'show', '--profile', profile])
    expect(status).toBe(0)
    expect(out).toMatch(/^spiffe:\/\/\S+\/agent\/laser-operator\/shell2\ncertificate \S{43}, until \d{4}-/)
  })

  it('enrols a device by its TPM', async () => {
    const demands = { demandsAssurance: 'tpm', appraisalAgeMsMax: 3_600_000, attestationAgeMsMax: 3_600_000 }
    const own = file('engraver.json', { ...deviceProfiles['laser-1'], ...demands })
    const text = await admission('device', 'engraver-1', '--profile', own, '--platform', join(home, 'platform.json'))
    const enrolled = await enroll('device', text, '--tpm', tpm.address)
    expect(enrolled).toMatchObject({ status: 0, out: 'enrolled spiffe://lab.interlock.example/device/engraver-1\n' })
    const other = await enroll('device', await admission('agent', agentSpiffeId('laser-operator', 'x')), '--tpm', tpm.address)
    expect(other).toMatchObject({ status: 64, error: expect.stringContaining('interlock admit device') })
  })

  it('enrols a device by its DICE', async () => {
    const dice = testDice()
    const demands = { demandsAssurance: 'software', appraisalAgeMsMax: 3_600_000, attestationAgeMsMax: 3_600_000 }
    const own = file('sensor.json', { ...deviceProfiles['laser-1'], ...demands })
    const text = await admission('device', 'engraver-2', '--profile', own, '--dice', file('reference.json', dice.reference))
    const leafKey = dice.leafKey.export({ type: 'pkcs8', format: 'pem' })
    const identity = file('dice.json', { chain: dice.chain.map((bytes) => bytes.toString('base64url')), leafKey })
    // Readable by others (ATTACKS 156).
    expect((await enroll('device', text, '--dice', identity)).status).not.toBe(0)
    chmodSync(identity, 0o600)
    const enrolled = await enroll('device', text, '--dice', identity)
    expect(enrolled).toMatchObject({ status: 0, out: 'enrolled spiffe://lab.interlock.example/device/engraver-2\n' })
  })
}, 120_000)
