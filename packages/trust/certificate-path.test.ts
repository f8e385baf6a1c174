import { beforeAll, describe, expect, test } from 'vitest'
import { type Certificate, readCertificate } from './certificate.ts'
import { type PathToValidate, validatePath } from './certificate-path.ts'
import { type Identity, issueIdentity, keyedIssuer } from './issue/index.ts'
import { x509 } from './issue/x509.ts'
import { type TestDomain, testDomain } from './test-domain.ts'

const now = 1_790_000_000_000
let domain: TestDomain
let twin: TestDomain
let identity: Identity

const read = (der: Buffer): Certificate => {
  const result = readCertificate(der)
  if (!result.ok) throw new Error(result.reason)
  return result.value
}
const rootOf = ({ root }: TestDomain) => [read(Buffer.from(root.certificate.rawData))]
const judge = (chain: readonly Buffer[], change: Partial<PathToValidate> = {}) => {
  const result = validatePath({
    chain,
    roots: rootOf(domain),
    revocationLists: [],
    requireRevocationStatus: false,
    now,
    skewMs: 30_000,
    ...change,
  })
  return result.ok ? 'accepted' : result.reason
}

beforeAll(async () => {
  domain = await testDomain(['operator/dev'], now)
  twin = await testDomain(['operator/dev'], now)
  identity = await domain.issue('agent/planner/1')
})

describe('a certificate path', () => {
  test('from a leaf by the intermediate to the root is accepted', () => {
    expect(judge(identity.chain)).toBe('accepted')
  })

  test('ATTACKS 1: to a root of the same name with another key is refused', async () => {
    expect(judge((await twin.issue('agent/planner/1')).chain)).toBe('path-untrusted')
    expect(judge([identity.chain[0] as Buffer, (await twin.issue('agent/planner/1')).chain[1] as Buffer])).toBe('path-untrusted')
  })

  test('ATTACKS 2: with a leaf as issuer is refused', async () => {
    const leaf = new x509.X509Certificate(identity.chain[0] as Buffer)
    const issuer = keyedIssuer(leaf, identity.privateKey)
    const forged = await issueIdentity(issuer, { name: 'x', spiffeId: 'spiffe://lab.example/agent/x/1' }, now)
    expect(judge([forged.chain[0] as Buffer, ...identity.chain])).toBe('issuer-not-ca')
  })

  test('ATTACKS 6: of a CA as the leaf is refused', () => {
    expect(judge([Buffer.from(domain.issuer.certificate.rawData)])).toBe('leaf-is-ca')
  })

  test('ATTACKS 11: out of its time beyond the skew is refused', () => {
    const { notBeforeMs, notAfterMs } = read(identity.chain[0] as Buffer)
    expect(judge(identity.chain, { now: notBeforeMs - 30_000 })).toBe('accepted')
    expect(judge(identity.chain, { now: notBeforeMs - 30_001 })).toBe('certificate-not-yet-valid')
    expect(judge(identity.chain, { now: notAfterMs + 30_000 })).toBe('accepted')
    expect(judge(identity.chain, { now: notAfterMs + 30_001 })).toBe('certificate-expired')
  })

  test('ATTACKS 12: without a CRL is refused where the status must be known', () => {
    expect(judge(identity.chain, { requireRevocationStatus: true })).toBe('revocation-unknown')
  })

  test('ATTACKS 17: of more certificates than the limit is refused before any is read', () => {
    expect(judge(Array.from({ length: 6 }, () => Buffer.of(0)))).toBe('path-too-long')
    expect(judge([])).toBe('path-empty')
  })

  test('ATTACKS 18: with a blob too large, trailing bytes, an indefinite or a huge length is refused', () => {
    const [leaf, ...rest] = identity.chain as [Buffer, ...Buffer[]]
    expect(judge([Buffer.alloc(10 * 1024 * 1024, 0x30), ...rest])).toBe('certificate-too-large')
    expect(judge([Buffer.concat([leaf, Buffer.of(0)]), ...rest])).toBe('certificate-malformed')
    expect(judge([Buffer.concat([Buffer.of(0x30, 0x80), leaf.subarray(4), Buffer.of(0, 0)]), ...rest])).toBe(
      'certificate-malformed',
    )
    expect(judge([Buffer.concat([Buffer.of(0x30, 0x84, 0x80, 0, 0, 0), leaf.subarray(4)]), ...rest])).toBe(
      'certificate-malformed',
    )
  })

  test('in which one bit of the leaf was changed never is accepted', () => {
    const [leaf, ...rest] = identity.chain as [Buffer, ...Buffer[]]
    for (let at = 0; at < leaf.length; at++) {
      const changed = Buffer.from(leaf)
      changed[at] = (changed[at] as number) ^ 1
      expect(judge([changed, ...rest])).not.toBe('accepted')
    }
  })
})
