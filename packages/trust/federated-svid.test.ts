import type { FederationEntry, Partner } from '@interlock/contracts'
import { beforeAll, describe, expect, it } from 'vitest'
import { validateFederatedSvid } from './federated-svid.ts'
import { issueIdentity } from './issue/index.ts'
import { type TestDomain, testDomain } from './test-domain.ts'

const now = Date.UTC(2026, 10, 24, 12)
let ours: TestDomain
let partner: TestDomain
let other: TestDomain
beforeAll(async () => {
  ours = await testDomain(['operator/dev'], now)
  partner = await testDomain(['operator/dev'], now, 'partner.example')
  other = await testDomain(['operator/dev'], now, 'other.example')
})

const entryOf = ({ trustDomain, bundle }: TestDomain, change: Partial<Partner> = {}): FederationEntry => ({
  kind: 'partner',
  trustDomain,
  roots: bundle.roots[trustDomain] as string[],
  refreshedAt: now,
  expiresAt: now + 900_000,
  ...change,
})
const verdictOn = (chain: readonly Buffer[], entries: Record<string, FederationEntry>, at = now) => {
  const svid = validateFederatedSvid(chain, { anchors: ours.anchors, federation: new Map(Object.entries(entries)) }, at, 30_000)
  return svid.ok ? svid.value.spiffeId : svid.reason
}
const issued = async (by: TestDomain, spiffeId: string) => (await issueIdentity(by.issuer, { name: 'x', spiffeId }, now)).chain

describe('an SVID of a federated trust domain', () => {
  const robot = 'spiffe://partner.example/robot/r1'
  it('is good under its own roots, for its own name', async () => {
    const chain = await issued(partner, robot)
    expect(verdictOn(chain, { 'partner.example': entryOf(partner) })).toBe(robot)
    expect(verdictOn((await ours.issue('agent/a/b')).chain, { 'partner.example': entryOf(partner) })).toMatch(/agent\/a\/b$/)
  })

  it('is nobody’s where its trust domain is not federated', async () => {
    const chain = await issued(partner, robot)
    expect(verdictOn(chain, {})).toBe('svid-trust-domain')
    expect(verdictOn(chain, { 'other.example': entryOf(other) })).toBe('svid-trust-domain')
  })

  it('attack 8, 9: a partner’s authority names nobody of ours', async () => {
    const forged = await issued(partner, 'spiffe://lab.example/enforcer/identity-verify')
    expect(verdictOn(forged, { 'partner.example': entryOf(partner) })).toBe('path-untrusted')
    // Not even where a topic says that its roots are ours: those come from the pinned bundle alone.
    expect(verdictOn(forged, { 'lab.example': entryOf(partner, { trustDomain: 'lab.example' }) })).toBe('path-untrusted')
  })

  it('attack 9: a partner’s authority names nobody of another partner, nor ours one of theirs', async () => {
    const federation = { 'partner.example': entryOf(partner), 'other.example': entryOf(other) }
    expect(verdictOn(await issued(partner, 'spiffe://other.example/robot/r1'), federation)).toBe('path-untrusted')
    expect(verdictOn(await issued(ours, robot), federation)).toBe('path-untrusted')
  })

  it('attack 9: an entry under another name than its own counts for nothing', async () => {
    const forged = await issued(partner, 'spiffe://other.example/robot/r1')
    expect(verdictOn(forged, { 'other.example': entryOf(partner) })).toBe('svid-trust-domain')
  })

  it('is refused while its roots are overdue, and good again when they are fresh', async () => {
    const chain = await issued(partner, robot)
    expect(verdictOn(chain, { 'partner.example': entryOf(partner) }, now + 900_000)).toBe('trust-domain-overdue')
    expect(verdictOn(chain, { 'partner.example': entryOf(partner, { expiresAt: now + 1_800_000 }) }, now + 900_000)).toBe(robot)
  })

  it('is refused as soon as its root is withdrawn', async () => {
    const chain = await issued(partner, robot)
    expect(verdictOn(chain, { 'partner.example': entryOf(partner, { roots: [] }) })).toBe('path-untrusted')
  })

  it.each(['robot//r1', 'robot/../r1', 'robot/%2e'])('attack 7: with the path %s is nobody', async (path) => {
    const chain = await issued(partner, `spiffe://partner.example/${path}`)
    expect(verdictOn(chain, { 'partner.example': entryOf(partner) })).toBe('path-untrusted')
  })
})
