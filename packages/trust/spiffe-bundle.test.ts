import type { Partner } from '@interlock/contracts'
import { beforeAll, describe, expect, it } from 'vitest'
import { nextPartner, readSpiffeBundle, spiffeBundleBytesMax, spiffeBundleOf } from './spiffe-bundle.ts'
import { type TestDomain, testDomain } from './test-domain.ts'

const now = Date.UTC(2026, 10, 24, 12)
let partner: TestDomain
let other: TestDomain
beforeAll(async () => {
  partner = await testDomain(['operator/dev'], now, 'partner.example')
  other = await testDomain(['operator/dev'], now, 'other.example')
})

const rootOf = ({ root }: TestDomain) => Buffer.from(root.certificate.rawData)
const bundle = (change: object = {}) => ({ ...spiffeBundleOf([rootOf(partner)], 7, 600), ...change })
const keyOf = () => (bundle().keys as Record<string, unknown>[])[0] as Record<string, unknown>
const read = (value: unknown) =>
  readSpiffeBundle(Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)), 'partner.example')
const reasonOf = (value: unknown) => {
  const result = read(value)
  return result.ok ? 'read' : result.reason
}

describe('a SPIFFE bundle', () => {
  it('is a JWK set with the roots as x509-svid keys, a sequence and a refresh hint (SPIFFE Trust Domain and Bundle §4)', () => {
    expect(bundle()).toMatchObject({
      keys: [{ use: 'x509-svid', kty: 'EC', crv: 'P-256', x5c: [rootOf(partner).toString('base64')] }],
      spiffe_sequence: 7,
      spiffe_refresh_hint: 600,
    })
    expect(keyOf()).not.toHaveProperty('kid')
    expect(read(bundle())).toEqual({ ok: true, value: { roots: [rootOf(partner)], sequence: 7, refreshHintMs: 600_000 } })
  })

  it('may have keys of uses that are not ours, and none at all', () => {
    expect(
      read(bundle({ keys: [{ kty: 'EC', use: 'jwt-svid', kid: 'a' }, { kty: 'EC', use: 'tomorrow' }, keyOf()] })),
    ).toMatchObject({
      value: { roots: [rootOf(partner)] },
    })
    expect(read({ keys: [] })).toEqual({ ok: true, value: { roots: [], sequence: undefined, refreshHintMs: undefined } })
  })

  it.each<[string, string, () => unknown]>([
    ['larger than any bundle', 'bundle-too-large', () => ' '.repeat(spiffeBundleBytesMax + 1)],
    ['no JSON', 'bundle-malformed', () => 'hello'],
    ['without keys', 'bundle-malformed', () => ({ spiffe_sequence: 1 })],
    ['with a member twice (attack 54)', 'bundle-malformed', () => '{"keys":[],"keys":[]}'],
    ['with a sequence that JSON cannot carry', 'bundle-malformed', () => bundle({ spiffe_sequence: 2 ** 53 })],
    ['with a root without a certificate', 'bundle-malformed', () => bundle({ keys: [{ ...keyOf(), x5c: undefined }] })],
    [
      'with two certificates of one root',
      'bundle-malformed',
      () => bundle({ keys: [{ ...keyOf(), x5c: [keyOf().x5c, keyOf().x5c].flat() }] }),
    ],
    ['with more roots than eight', 'bundle-malformed', () => bundle({ keys: Array.from({ length: 9 }, keyOf) })],
    ['with a root that is no certificate', 'bundle-root', () => bundle({ keys: [{ ...keyOf(), x5c: ['AAAA'] }] })],
    ['with another key than its certificate’s', 'bundle-root-other-key', () => bundle({ keys: [{ ...keyOf(), x: keyOf().y }] })],
    [
      'attack 9: with an authority of another trust domain',
      'bundle-root-other-domain',
      () => spiffeBundleOf([Buffer.from(other.issuer.certificate.rawData)], 1, 1),
    ],
  ])('%s is refused whole', (_what, reason, value) => expect(reasonOf(value())).toBe(reason))

  it('whose root is a leaf is refused', async () => {
    const { chain } = await partner.issue('agent/a/b')
    expect(reasonOf(spiffeBundleOf([chain[0] as Buffer], 1, 1))).toBe('bundle-root')
  })
})

describe('what is believed of a partner', () => {
  const next = (sequence: number | undefined, roots: TestDomain[], before?: Partner) => {
    const said = { roots: roots.map(rootOf), sequence, refreshHintMs: undefined }
    return nextPartner('partner.example', said, before, now)
  }
  const known = (sequence?: number): Partner => {
    const first = next(sequence, [partner])
    if (!first.ok) throw new Error(first.reason)
    return first.value
  }

  it('counts until three refreshes were missed', () => {
    expect(known(1)).toMatchObject({ refreshedAt: now, expiresAt: now + 900_000 })
    const slow = nextPartner('partner.example', { roots: [], sequence: 1, refreshHintMs: 86_400_000 }, undefined, now)
    expect(slow).toMatchObject({ value: { expiresAt: now + 3 * 3_600_000 } })
    const hasty = nextPartner('partner.example', { roots: [], sequence: 1, refreshHintMs: 1 }, undefined, now)
    expect(hasty).toMatchObject({ value: { expiresAt: now + 3 * 60_000 } })
  })

  it.each<[string, number | undefined, string]>([
    ['an older sequence: a root that was withdrawn would come back', 6, 'bundle-older'],
    ['no sequence where there was one', undefined, 'bundle-older'],
    ['other roots under the same sequence', 7, 'bundle-sequence-reused'],
  ])('is not %s', (_what, sequence, reason) => expect(next(sequence, [other], known(7))).toMatchObject({ ok: false, reason }))

  it('is the same again, and what has a newer sequence', () => {
    expect(next(7, [partner], known(7)).ok).toBe(true)
    expect(next(8, [partner, other], known(7))).toMatchObject({
      value: { sequence: 8, roots: [{}, {}].map(() => expect.any(String)) },
    })
    expect(next(undefined, [other], known(undefined)).ok).toBe(true)
  })
})
