import { type CommandDigest, commandSchema, type IntentId, type JobId } from '@interlock/contracts'
import { canonicalBytes, digest, noFederation, readCommand, verifyDelegation, verifyIntentProof } from '@interlock/trust'
import { beforeAll, describe, expect, test } from 'vitest'
import { createFixture, type Fixture } from '../fixture/index.ts'
import { jobGrants } from '../trust-domain/laboratory.ts'
import { createIntent, IntentError } from './create-intent.ts'
import { DelegationError, delegate } from './delegate.ts'
import { quantity } from './quantity.ts'

const now = Date.UTC(2026, 10, 24, 12)
let fixture: Fixture
beforeAll(async () => {
  fixture = await createFixture(now)
})

const tokens = () => fixture.job.tokens['agent-laser-operator-z1'] ?? []
const request = () => ({
  job: 'job-1',
  device: 'laser-1',
  capability: 'laser.cut',
  parameters: { power: quantity(60, 'W') },
  tokens: tokens(),
  key: fixture.key('agent-laser-operator-z1'),
  audience: fixture.domain.bundle.audience,
  now,
})
const expected = () => ({ anchors: fixture.trust.anchors, now, skewMs: 30_000 })

describe('an intent', () => {
  test('is canonical, and its proof and tokens verify', async () => {
    const intent = await createIntent(request())
    expect(intent.command.equals(canonicalBytes(commandSchema.parse(JSON.parse(intent.command.toString()))))).toBe(true)
    const proof = verifyIntentProof(intent.proof, {
      ...expected(),
      federation: noFederation,
      intentId: intent.intentId,
      jobId: 'job-1' as JobId,
      commandDigest: digest(intent.command) as CommandDigest,
      leafToken: intent.tokens.at(-1) ?? '',
    })
    if (!proof.ok) throw new Error(proof.reason)
    const { spiffeId: agent, thumbprint } = proof.value.leaf
    const delegation = verifyDelegation(intent.tokens, { ...expected(), revocations: new Map(), agent, thumbprint })
    expect(delegation).toMatchObject({ ok: true, value: { human: 'alice', job: 'job-1' } })
  })

  test('carries its program, named by digest and length', async () => {
    const bytes = Buffer.from('G21\nG1 X10 F100\n')
    const intent = await createIntent({ ...request(), program: { mediaType: 'text/x-gcode', bytes } })
    expect(readCommand(intent)).toMatchObject({ ok: true, value: { command: { program: { bytes: bytes.length } } } })
  })

  test('has a fresh id unless it is given one', async () => {
    const [one, other] = [await createIntent(request()), await createIntent(request())]
    expect(one.intentId).not.toBe(other.intentId)
    expect((await createIntent({ ...request(), intentId: 'mine' })).intentId).toBe('mine' as IntentId)
  })

  test.each([
    ['token-missing', { tokens: [] }],
    ['command-malformed', { device: '../laser' }],
    ['command-malformed', { parameters: { 'po wer': 1 } }],
    ['program-too-large', { program: { mediaType: 'text/x-gcode', bytes: Buffer.alloc(524_289) } }],
  ])('is not made where nobody could allow it: %s', async (code, change) => {
    await expect(createIntent({ ...request(), ...change })).rejects.toThrow(IntentError)
    await expect(createIntent({ ...request(), ...change })).rejects.toMatchObject({ code, retriable: false })
  })
})

describe('delegating', () => {
  const delegation = () => ({
    tokens: fixture.job.tokens['agent-job-orchestrator-o1'] ?? [],
    key: fixture.key('agent-job-orchestrator-o1'),
    to: {
      spiffeId: fixture.key('agent-laser-operator-z1').spiffeId,
      certificateThumbprint: fixture.key('agent-laser-operator-z1').keyId,
    },
    grants: jobGrants.filter(({ locations }) => locations.includes('laser-1')),
    validitySeconds: 600,
    now,
  })
  const verify = (chain: readonly string[]) => {
    const { spiffeId: agent, keyId: thumbprint } = fixture.key('agent-laser-operator-z1')
    return verifyDelegation(chain, { ...expected(), revocations: new Map(), agent, thumbprint })
  }

  test('makes a child that every verifier takes', async () => {
    expect(verify(await delegate(delegation()))).toMatchObject({ ok: true, value: { human: 'alice', expiresAt: now + 600_000 } })
  })

  test('never lets a child outlive its parent', async () => {
    expect(verify(await delegate({ ...delegation(), validitySeconds: 1_000_000 }))).toMatchObject({
      ok: true,
      value: { expiresAt: now + 3_600_000 },
    })
  })

  test('makes no child that is wider, late or without a parent', async () => {
    const wider = delegation().grants.map((grant) => ({
      ...grant,
      limits: { ...grant.limits, power: { min: '1', max: '81', unit: 'W' } },
    }))
    await expect(delegate({ ...delegation(), grants: wider })).rejects.toMatchObject({ code: 'not-narrower' })
    await expect(delegate({ ...delegation(), now: now + 3_600_000 })).rejects.toMatchObject({ code: 'parent-expired' })
    await expect(delegate({ ...delegation(), tokens: [] })).rejects.toBeInstanceOf(DelegationError)
  })
})
