import { beforeAll, describe, expect, it } from 'vitest'
import { validateSvid } from './svid.ts'
import { type TestDomain, testDomain } from './test-domain.ts'
import { openTrustBundle } from './trust-anchors.ts'

const now = Date.UTC(2026, 10, 24, 12)
const year = 365 * 86_400_000

describe('an SVID', () => {
  let domain: TestDomain
  beforeAll(async () => {
    domain = await testDomain(['operator/dev'], now)
  })
  const verdictOn = (chain: readonly Buffer[], at = now, anchors = domain.anchors) => {
    const checked = validateSvid(chain, anchors, at, 30_000)
    return checked.ok ? checked.value.spiffeId : checked.reason
  }

  it('names who holds it', async () => {
    const { chain } = await domain.issue('agent/laser-operator/z1')
    expect(verdictOn(chain)).toBe('spiffe://lab.example/agent/laser-operator/z1')
  })

  it('that was good is refused when its time is over, or not yet there', async () => {
    const { chain } = await domain.issue('agent/laser-operator/z2')
    expect(verdictOn(chain)).toMatch(/^spiffe/)
    expect(verdictOn(chain, now + year + 31_000)).toBe('certificate-expired')
    expect(verdictOn(chain, now - 3_600_000)).toBe('certificate-not-yet-valid')
  })

  it('that was good under one bundle is nobody’s under another', async () => {
    const { chain } = await domain.issue('agent/laser-operator/z3')
    expect(verdictOn(chain)).toMatch(/^spiffe/)
    const other = await testDomain(['operator/dev'], now)
    expect(verdictOn(chain, now, other.anchors)).toMatch(/^path-/)
  })

  it('attack 8: of a partner’s authority does not name one of ours', async () => {
    const partner = await testDomain(['operator/dev'], now, 'partner.example')
    const { chain } = await partner.issue('agent/laser-operator/z1')
    const roots = { ...domain.bundle.roots, ...partner.bundle.roots }
    expect(verdictOn(chain, now, openTrustBundle({ ...domain.bundle, roots }))).toMatch(/^path-|svid-trust-domain/)
  })

  it.each(['', 'a//b', 'a/../b', 'a%2fb'])('with a path that SPIFFE does not allow (%j) names nobody', async (path) => {
    const { chain } = await domain.issue(path)
    expect(verdictOn(chain)).toBe('svid-name')
  })

  it('without a chain is nobody', () => {
    expect(verdictOn([])).toBe('path-empty')
    expect(verdictOn([Buffer.from('no certificate')])).toMatch(/^certificate-/)
  })
})
