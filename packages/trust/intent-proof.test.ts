import type { CommandDigest, IntentId, JobId } from '@interlock/contracts'
import { beforeAll, describe, expect, it } from 'vitest'
import { noFederation } from './federated-svid.ts'
import { type ProofToVerify, proofValidityMsMax, signIntentProof, verifyIntentProof } from './intent-proof.ts'
import { signJws, x5cOf } from './jws.ts'
import type { SigningKey } from './signing-key.ts'
import { keyOf, type TestDomain, testDomain } from './test-domain.ts'

const now = Date.UTC(2026, 10, 24, 12)
const skewMs = 30_000
const leafToken = 'aGVhZGVy.cGF5bG9hZA.c2ln'
const claims = {
  audience: 'interlock:lab.example',
  intentId: 'intent-1' as IntentId,
  jobId: 'job-1' as JobId,
  commandDigest: 'A'.repeat(43) as CommandDigest,
  leafToken,
  now,
}

describe('an intent proof', () => {
  let domain: TestDomain
  let key: SigningKey
  let other: SigningKey
  let proof: string
  beforeAll(async () => {
    domain = await testDomain(['operator/dev'], now)
    key = keyOf(await domain.issue('agent/laser-operator/z1'))
    other = keyOf(await domain.issue('agent/laser-operator/z2'))
    proof = await signIntentProof(claims, key)
  })
  const verdictOn = (text: string, change: Partial<ProofToVerify> = {}) => {
    const checked = verifyIntentProof(text, { anchors: domain.anchors, federation: noFederation, ...claims, skewMs, ...change })
    return checked.ok ? checked.value.leaf.spiffeId : checked.reason
  }
  const payloadOf = (text: string) =>
    JSON.parse(Buffer.from(text.split('.')[1] ?? '', 'base64url').toString('utf8')) as Record<string, unknown>
  const signed = (change: Record<string, unknown>, by = key, header: Record<string, unknown> = {}) =>
    signJws({ typ: 'intent-proof+jwt', x5c: x5cOf(by.chain), ...header }, { ...payloadOf(proof), ...change }, by)

  it('says which agent signed, and until when it counts', () => {
    const checked = verifyIntentProof(proof, { anchors: domain.anchors, federation: noFederation, ...claims, skewMs })
    expect(checked).toMatchObject({
      ok: true,
      value: { leaf: { spiffeId: key.spiffeId, thumbprint: key.keyId }, expiresAt: now + 300_000 },
    })
  })

  it.each([
    ['another intent', { intentId: 'intent-2' as IntentId }, 'intent'],
    ['another job', { jobId: 'job-2' as JobId }, 'job'],
    ['another command', { commandDigest: 'B'.repeat(43) as CommandDigest }, 'command'],
    ['another token', { leafToken: 'aGVhZGVy.b3RoZXI.c2ln' }, 'token'],
    ['a time long after', { now: now + 300_000 + skewMs }, 'expired'],
    ['a time long before', { now: now - skewMs - 1000 }, 'not-yet-valid'],
  ] as const)('does not count for %s', (_what, change, reason) => {
    expect(verdictOn(proof, change)).toBe(reason)
  })

  it('names its token by what was signed: another spelling of the signature is the same token', () => {
    expect(verdictOn(proof, { leafToken: 'aGVhZGVy.cGF5bG9hZA.b3RoZXI' })).toBe(key.spiffeId)
  })

  it.each([
    ['another audience', { aud: 'interlock:partner.example' }, 'audience'],
    ['another issuer', { iss: 'spiffe://lab.example/agent/laser-operator/z2' }, 'issuer'],
    ['a life longer than ten minutes', { exp: now / 1000 + proofValidityMsMax / 1000 + 1 }, 'validity-too-long'],
    ['an end before its beginning', { exp: now / 1000 - 1 }, 'validity-too-long'],
    ['a claim that nobody knows', { scope: 'all' }, 'claims'],
    ['a time that is no whole number', { iat: now / 1000 + 0.5 }, 'claims'],
  ])('is refused with %s', async (_what, change, reason) => {
    expect(verdictOn(await signed(change))).toBe(reason)
  })

  it('is refused with another header: type, algorithm, key', async () => {
    expect(verdictOn(await signed({}, key, { typ: 'JWT' }))).toBe('header')
    expect(verdictOn(await signed({}, key, { kid: key.keyId }))).toBe('header')
    expect(verdictOn(await signed({}, key, { alg: 'EdDSA' }))).toBe('signature')
    expect(verdictOn(await signed({}, key, { alg: 'none' }))).toBe('signature')
    expect(verdictOn(await signed({}, key, { x5c: [] }))).toBe('header')
  })

  it('is refused by another key than the certificate’s, and from a root that is not pinned', async () => {
    expect(verdictOn(await signed({}, other, { x5c: x5cOf(key.chain) }))).toBe('signature')
    const stranger = await testDomain(['operator/dev'], now)
    const forged = keyOf(await stranger.issue('agent/laser-operator/z1'))
    expect(verdictOn(await signIntentProof(claims, forged))).toMatch(/^path-/)
  })
})
