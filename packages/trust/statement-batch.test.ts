import type { SignedStatement } from '@interlock/contracts'
import { array, asyncProperty, boolean, assert as fcAssert, integer, record, string } from 'fast-check'
import { beforeAll, describe, expect, it } from 'vitest'
import { signStatements, VerifiedRoots, verifySignedStatement } from './statement-batch.ts'
import { type TestDomain, testDomain } from './test-domain.ts'

const now = Date.UTC(2026, 10, 24, 12)

describe('statements signed together', () => {
  let domain: TestDomain
  let signed: SignedStatement[]
  beforeAll(async () => {
    domain = await testDomain(['enforcer/identity-verify', 'enforcer/device-dispatch'], now)
    const statements = Array.from({ length: 5 }, (_, index) => Buffer.from(`statement ${index}`))
    signed = await signStatements(statements, domain.signer('enforcer/identity-verify'))
  })
  const one = () => signed[2] as SignedStatement
  const verdictOn = (statement: SignedStatement, cache = new VerifiedRoots()) => {
    const checked = verifySignedStatement(statement, domain.anchors, cache)
    return checked.ok ? checked.value.spiffeId : checked.reason
  }
  const flipped = (bytes: Buffer) => Buffer.from(bytes.map((byte, at) => (at === 3 ? byte ^ 1 : byte)))

  it('are each verified by themselves, with one signature for all', () => {
    for (const statement of signed) expect(verdictOn(statement)).toBe('spiffe://lab.example/enforcer/identity-verify')
    expect(new Set(signed.map(({ signature }) => signature.toString('hex'))).size).toBe(1)
  })

  it('of which there are none need no signature', async () => {
    expect(await signStatements([], domain.signer('enforcer/identity-verify'))).toEqual([])
  })

  it.each([
    ['its bytes', (s: SignedStatement) => ({ ...s, statement: flipped(s.statement) }), 'bad-signature'],
    ['its place', (s: SignedStatement) => ({ ...s, leafIndex: 3 }), 'bad-signature'],
    ['a place beyond the batch', (s: SignedStatement) => ({ ...s, leafIndex: 5 }), 'bad-path'],
    ['the size of the batch', (s: SignedStatement) => ({ ...s, treeSize: 6 }), 'bad-signature'],
    [
      'a node of its path',
      (s: SignedStatement) => ({ ...s, path: s.path.map((node, at) => (at ? node : flipped(node))) }),
      'bad-signature',
    ],
    ['the length of a node', (s: SignedStatement) => ({ ...s, path: s.path.map((node) => node.subarray(1)) }), 'bad-path'],
    ['the length of its path', (s: SignedStatement) => ({ ...s, path: s.path.slice(1) }), 'bad-path'],
    [
      'a path without end',
      (s: SignedStatement) => ({ ...s, path: Array.from({ length: 33 }, () => Buffer.alloc(32)) }),
      'bad-path',
    ],
    ['its signature', (s: SignedStatement) => ({ ...s, signature: flipped(s.signature) }), 'bad-signature'],
    ['a key that nobody knows', (s: SignedStatement) => ({ ...s, keyId: 'x'.repeat(43) }), 'unknown-key'],
  ])('are refused with another value for %s', (_what, change, reason) => {
    expect(verdictOn(change(one()))).toBe(reason)
    // The same where the root was already found good.
    const cache = new VerifiedRoots()
    verdictOn(one(), cache)
    expect(verdictOn(change(one()), cache)).toBe(reason)
  })

  it('attack 134: each is itself checked: of any batch exactly those count that were not changed, in whatever order they come', async () => {
    const key = domain.signer('enforcer/identity-verify')
    const plan = array(record({ text: string(), isChanged: boolean(), sort: integer() }), { minLength: 1, maxLength: 20 })
    await fcAssert(
      asyncProperty(plan, async (trials) => {
        const batch = await signStatements(
          trials.map(({ text }) => Buffer.from(text)),
          key,
        )
        const cache = new VerifiedRoots()
        const order = trials.map((trial, at) => ({ ...trial, at })).sort((a, b) => a.sort - b.sort)
        for (const { at, isChanged } of order) {
          const statement = batch[at] as SignedStatement
          const bytes = isChanged ? Buffer.concat([statement.statement, Buffer.from('x')]) : statement.statement
          expect(verdictOn({ ...statement, statement: bytes }, cache)).toBe(isChanged ? 'bad-signature' : key.spiffeId)
        }
      }),
    )
  })

  it('are not another signer’s because their root was verified for one', () => {
    const cache = new VerifiedRoots()
    expect(verdictOn(one(), cache)).toMatch(/^spiffe/)
    expect(verdictOn({ ...one(), keyId: domain.signer('enforcer/device-dispatch').keyId }, cache)).toBe('bad-signature')
  })

  it('are verified anew where their root was pushed out: a cache has a size', () => {
    const cache = new VerifiedRoots(2)
    for (const key of ['a', 'b', 'c']) cache.add(key)
    expect(['a', 'b', 'c'].map((key) => cache.has(key))).toEqual([false, true, true])
  })
})
