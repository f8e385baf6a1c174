import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { boundsPolicyOf, pushPolicy } from '@interlock/cli'
import { type Decision, type Intent, stageNames } from '@interlock/contracts'
import { Service } from '@interlock/ops/local'
import { readPolicyBundle } from '@interlock/ops/policies/bundle'
import { findOpa, opaAdvice } from '@interlock/policy/opa'
import { quantity } from '@interlock/sdk'
import { deviceProfiles } from '@interlock/sdk/trust-domain'
import { signControlEntry } from '@interlock/trust'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { enterLive, type Live } from './live-system.ts'

const program = fileURLToPath(new URL('../../packages/cli/interlock.ts', import.meta.url))
const folder = fileURLToPath(new URL('../../ops/policies/', import.meta.url))
const bundle = readPolicyBundle()
/** At 60 W and 20 mm/s the laser puts 3 J into each millimetre. */
const strict = { ...bundle, revision: 'strict', data: { ...bundle.data, joulesPerMillimetreMax: 2 } }
/** Long enough for an entry of a control table to be read. */
const tablesMs = 3000
const token = 'x'.repeat(40)

describe('a policy on a running system', () => {
  let live: Live
  const begun = Date.now()
  const home = mkdtempSync(join(tmpdir(), 'interlock-policy-'))

  beforeAll(async () => {
    live = await enterLive([...stageNames, 'outcomes', 'audit'])
  })
  afterAll(async () => {
    await live.leave()
    rmSync(home, { recursive: true })
  })

  async function interlock(...words: string[]) {
    const child = spawn(process.execPath, [program, 'policy', ...words, '--directory', live.system.layout.directory], {
      stdio: 'pipe',
    })
    const said = { out: '', error: '' }
    child.stdout.on('data', (bytes) => (said.out += bytes))
    child.stderr.on('data', (bytes) => (said.error += bytes))
    const status = await new Promise((resolve) => child.once('close', resolve))
    return { status, ...said }
  }

  /** What semantic-bounds decided on an intent. */
  async function boundsOn(intent: Intent): Promise<Decision> {
    await live.world.submit(intent)
    const isBounds = (step: ReturnType<typeof live.world.watch.steps>[number]) =>
      step.kind === 'decision' && step.record.stage === 'semantic-bounds'
    const found = (await live.world.watch.until(intent.intentId, (seen) => seen.some(isBounds), 30_000)).find(isBounds)
    if (found?.kind !== 'decision') throw new Error(`semantic-bounds did not decide on ${intent.intentId}`)
    return found.record
  }
  const cut = async () => boundsOn(await live.world.laserCut())
  const settled = () => new Promise((resolve) => setTimeout(resolve, tablesMs))
  const file = (name: string, value: unknown) => {
    writeFileSync(join(home, name), JSON.stringify(value))
    return join(home, name)
  }

  it('is replaced without a restart, and each decision names the one it was taken under', async () => {
    const before = await cut()
    expect(before).toMatchObject({ verdict: 'ALLOW', policy: expect.stringMatching(/^bounds-[0-9a-f]{12}@\d+$/) })
    const { policy } = await pushPolicy(live.system.layout, (sequence) => boundsPolicyOf(strict, sequence), Date.now())
    await settled()
    expect(await cut()).toMatchObject({
      verdict: 'DENY',
      reasons: ['policy-refuses-energy-per-length'],
      policy: `strict@${policy.sequence}`,
    })
  })

  it('attack 78: an older one, written again by who may write to the topic, changes nothing; nor does it after a restart', async () => {
    const old = boundsPolicyOf(bundle, 5)
    const statement = { table: 'control.policies', id: 'bounds', revision: 5, updatedAt: Date.now(), value: old } as const
    const entry = await signControlEntry(statement, live.world.key('operator-dev'))
    await live.writeBytes('control.policies', 0, Buffer.from('bounds'), live.world.codec.encode('control.policies', entry))
    await settled()
    expect(await cut()).toMatchObject({ verdict: 'DENY', policy: expect.stringMatching(/^strict@/) })
    await live.system.services.find(({ name }) => name === 'semantic-bounds')?.restart()
    expect(await cut()).toMatchObject({ verdict: 'DENY', policy: expect.stringMatching(/^strict@/) })
    expect((await interlock('list')).out.trim().split('\n').at(-1)).toMatch(/^strict@\d+ {2}in force/)
  })

  it('is rolled back by an operator’s word, under a sequence of its own', async () => {
    const earlier = (await interlock('list')).out
      .split('\n')
      .findLast((line) => line.startsWith('bounds-') && !line.includes('@5 '))
    const [, sequence = ''] = /@(\d+)/.exec(earlier ?? '') ?? []
    const rolled = await interlock('rollback', sequence)
    expect(rolled).toMatchObject({ status: 0, out: expect.stringMatching(/^bounds-\S+ is published, in place of strict@\d+\n/) })
    await settled()
    expect(await cut()).toMatchObject({ verdict: 'ALLOW' })
    expect((await interlock('rollback', '12')).status).toBe(1)
  })

  it('is built, checked and pushed from a shell', async ({ skip }) => {
    if (!findOpa()) return skip(opaAdvice)
    const own = join(home, 'own')
    cpSync(folder, own, { recursive: true })
    writeFileSync(join(own, 'data.json'), JSON.stringify({ ...bundle.data, programSecondsMax: 1800 }))
    const out = join(home, 'own.tar.gz')
    expect(await interlock('build', own, '--out', out, '--revision', 'shorter')).toMatchObject({ status: 0, error: '' })
    expect(await interlock('check', out)).toMatchObject({ status: 0, out: expect.stringContaining('the signature holds') })
    expect(await interlock('push', out)).toMatchObject({ status: 0, out: expect.stringMatching(/^shorter@\d+ is published/) })
    await settled()
    expect(await cut()).toMatchObject({ verdict: 'ALLOW', policy: expect.stringMatching(/^shorter@/) })
    const tried = await interlock('replay', '--since', String(new Date(begun).toISOString()), '--policy', own, '--json')
    expect(tried.status).toBe(0)
  })

  it('asks an external decision point from when an operator names it until one retires it, and its no is a no', async () => {
    const asked: string[] = []
    const pdp = createServer(async (request, response) => {
      let text = ''
      for await (const part of request) text += part
      asked.push(JSON.parse(text).subject.id)
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"decision":false}')
    })
    await new Promise<void>((done) => pdp.listen(0, '127.0.0.1', done))
    const url = `http://127.0.0.1:${(pdp.address() as AddressInfo).port}/access/v1/evaluation`
    expect(await interlock('decision-point', 'set', url)).toMatchObject({ status: 0 })
    await settled()
    expect(await cut()).toMatchObject({ verdict: 'DENY', reasons: ['decision-point-refuses'] })
    expect(asked).toEqual([live.world.key('agent-laser-operator-z1').spiffeId])
    expect(await interlock('decision-point', 'retire', url)).toMatchObject({ status: 0 })
    await settled()
    expect(await cut()).toMatchObject({ verdict: 'ALLOW' })
    pdp.close()
  })

  it('is asked as a decision point by who has the token, and answers by the tables as they are', async () => {
    const tokenFile = join(home, 'token')
    writeFileSync(tokenFile, token, { mode: 0o600 })
    const { kafka, registry } = live.stack
    const env = { INTERLOCK_KAFKA: kafka, INTERLOCK_REGISTRY: registry, INTERLOCK_TRUST_BUNDLE: live.system.layout.trustBundle }
    const entry = fileURLToPath(new URL('../../services/semantic-bounds/decision-point-main.ts', import.meta.url))
    const point = await Service.start({
      ...{ name: 'decision-point', entry, directory: live.system.layout.directory },
      env: { ...env, INTERLOCK_AUTHZEN_TOKEN_FILE: tokenFile },
    })
    const ready = JSON.parse(point.log().find((line) => line.includes('"msg":"ready"')) ?? '{}')
    const body = JSON.stringify({
      ...{ subject: { type: 'agent', id: 'spiffe://lab/agent/x/1' }, resource: { type: 'device', id: 'laser-1' } },
      ...{ action: { name: 'laser.cut' }, context: { parameters: { power: quantity(60, 'W'), speed: quantity(20, 'mm/s') } } },
    })
    const headers = { 'content-type': 'application/json', authorization: `Bearer ${token}` }
    const asked = await fetch(`${ready.decisionPoint}/access/v1/evaluation`, { method: 'POST', headers, body })
    expect(await asked.json()).toMatchObject({ decision: true, context: { risk: 'low' } })
    const stranger = await fetch(`${ready.decisionPoint}/access/v1/evaluation`, { method: 'POST', body })
    expect(stranger.status).toBe(401)
    await point.stop()
  })

  it('every decision so far comes out the same from what audit kept, byte for byte', async () => {
    const parameters = { power: quantity(120, 'W'), speed: quantity(20, 'mm/s') }
    await boundsOn(await live.world.laserCut({ parameters }))
    for (let count = 0; count < 5; count += 1) await cut()
    await live.untilAudited()
    const { status, out } = await interlock('replay', '--since', new Date(begun).toISOString(), '--verify', '--json')
    expect({ status, out }).toEqual({ status: 0, out: expect.stringContaining('"diverged":[]') })
    const found = JSON.parse(out)
    expect(found).toMatchObject({ diverged: [], inputsMissing: 0 })
    expect(found.reproduced).toBe(found.decisions)
    expect(found.decisions).toBeGreaterThan(8)
  })

  it('shows what another machine and another grant would have changed', async () => {
    const capabilities = deviceProfiles['laser-1']?.capabilities ?? {}
    const laser = JSON.parse(JSON.stringify(capabilities).replace('"max":"120"', '"max":"50"'))
    const profile = file('weaker.json', { device: 'laser-1', capabilities: laser })
    const weaker = await interlock('replay', '--since', new Date(begun).toISOString(), '--profile', profile, '--json')
    expect(weaker.status).toBe(0)
    expect(JSON.parse(weaker.out).differences).toContainEqual(
      expect.objectContaining({ from: 'ALLOW low', to: 'DENY outside-machine', device: 'laser-1', capability: 'laser.cut' }),
    )
    const power = { min: '1', max: '120', unit: 'W' }
    const grant = file('wider.json', {
      ...{ type: 'interlock_device', locations: ['laser-1'], actions: ['laser.cut'], maxCount: 100 },
      limits: { power, speed: { min: '1', max: '300', unit: 'mm/s' } },
    })
    const wider = await interlock('replay', '--since', new Date(begun).toISOString(), '--grant', grant)
    expect(wider).toMatchObject({ status: 0, out: expect.stringContaining('DENY outside-grant → ALLOW low') })
  })
})
