import type { TrustBundle } from '@interlock/contracts'
import { beforeAll, describe, expect, it } from 'vitest'
import { keyOf, type TestDomain, testDomain } from './test-domain.ts'
import { openTrustBundle, TrustBundleError } from './trust-anchors.ts'

const now = Date.UTC(2026, 10, 24, 12)
const text = (chain: readonly Buffer[]) => chain.map((der) => der.toString('base64url'))

describe('a trust bundle', () => {
  let domain: TestDomain
  let other: TestDomain
  beforeAll(async () => {
    domain = await testDomain(['enforcer/identity-verify', 'operator/dev'], now)
    other = await testDomain(['enforcer/identity-verify'], now, 'partner.example')
  })
  const open = (change: Partial<Record<keyof TrustBundle, unknown>>) => () =>
    openTrustBundle({ ...domain.bundle, ...change } as TrustBundle)

  it('names its signers, their roles and the roots of each trust domain', () => {
    const anchors = openTrustBundle(domain.bundle)
    const key = domain.signer('enforcer/identity-verify')
    expect(anchors.signer(key.keyId)).toMatchObject({
      spiffeId: key.spiffeId,
      role: { kind: 'enforcer', stage: 'identity-verify' },
    })
    expect(anchors.signer('unknown')).toBeUndefined()
    expect(anchors.roots('lab.example')).toHaveLength(1)
    expect(anchors.roots('partner.example')).toEqual([])
  })

  it.each([
    ['nothing in it', () => ({}), /trust bundle/],
    ['no roots', () => ({ roots: {} }), /no roots for its own trust domain/],
    ['an empty list of roots', () => ({ roots: { 'lab.example': [] } }), /roots/],
    ['roots of another trust domain only', () => ({ roots: other.bundle.roots }), /no roots for its own trust domain/],
    ['a root that is no certificate', () => ({ roots: { 'lab.example': ['AAAA'] } }), /root of lab.example cannot be read/],
    ['a member that nobody knows', () => ({ trustEverybody: true }), /trust bundle/],
    ['a CRL that is none', () => ({ crls: ['AAAA'] }), /CRL cannot be used/],
    ['a signer of another trust domain', () => ({ signers: other.bundle.signers }), /no SPIFFE ID in lab.example/],
    [
      'a signer whose chain lacks the intermediate',
      () => ({ signers: [domain.bundle.signers[0]?.slice(0, 1)] }),
      /does not lead to a root of lab.example/,
    ],
  ])('attack 156: with %s it is refused, and the process does not start', (what, change, message) => {
    const bundle = what === 'nothing in it' ? () => openTrustBundle({} as TrustBundle) : open(change())
    expect(bundle).toThrow(TrustBundleError)
    expect(bundle).toThrow(message)
  })

  it.each(['agent/laser-operator/z1', 'device/laser-1', 'nobody'])('makes no signer of %s', async (path) => {
    const { chain } = await domain.issue(path)
    expect(open({ signers: [text(chain)] })).toThrow(/cannot be a signer/)
  })

  it('makes no signer of who was named by another root', async () => {
    const stranger = await testDomain(['enforcer/identity-verify'], now)
    expect(open({ signers: [text(stranger.signer('enforcer/identity-verify').chain)] })).toThrow(/does not lead to a root/)
    expect(open({ signers: [text(keyOf(await domain.issue('enforcer/device-dispatch')).chain)] })).not.toThrow()
  })

  it('makes no signer of an authority', () => {
    const authority = text([Buffer.from(domain.issuer.certificate.rawData)])
    expect(open({ signers: [authority] })).toThrow(TrustBundleError)
  })
})
