import { beforeAll, describe, expect, it } from 'vitest'
import { signJws, x5cOf } from './jws.ts'
import type { SigningKey } from './signing-key.ts'
import { delegationDepthMax, readTaskToken, signTaskToken } from './task-token.ts'
import { keyOf, testDomain } from './test-domain.ts'

const now = Date.UTC(2026, 10, 24, 12)
const claims = {
  iss: 'spiffe://lab.example/service/token',
  sub: 'alice',
  aud: 'interlock:lab.example',
  iat: now / 1000,
  exp: now / 1000 + 3600,
  jti: 'a'.repeat(22),
  job: 'job-1',
  act: { sub: 'spiffe://lab.example/agent/job-orchestrator/o1' },
  cnf: { 'x5t#S256': 'A'.repeat(43) },
  authorization_details: [
    { type: 'interlock_device' as const, locations: ['laser-1'], actions: ['laser.cut'], limits: {}, maxCount: 10 },
  ],
}

describe('a task token', () => {
  let key: SigningKey
  beforeAll(async () => {
    const domain = await testDomain(['operator/dev'], now)
    key = keyOf(await domain.issue('service/token'))
  })
  const reasonOf = (text: string) => {
    const read = readTaskToken(text)
    return read.ok ? 'read' : read.reason
  }
  const signed = (change: object, header: Record<string, unknown> = { typ: 'task+jwt', kid: key.keyId }) =>
    signJws(header, { ...claims, ...change }, key)

  it('is read as it was signed: a root names a key, a child brings its chain', async () => {
    expect(readTaskToken(await signTaskToken(claims, { kid: key }))).toMatchObject({
      ok: true,
      value: { claims, signedBy: { kid: key.keyId } },
    })
    expect(readTaskToken(await signTaskToken(claims, key))).toMatchObject({ ok: true, value: { signedBy: { chain: key.chain } } })
  })

  it('has one digest however its signature is written', async () => {
    const text = await signTaskToken(claims, { kid: key })
    const [first, again] = [text, `${text.slice(0, text.lastIndexOf('.'))}.AAAA`].map(readTaskToken)
    expect(first?.ok && again?.ok && first.value.digest === again.value.digest).toBe(true)
  })

  it.each([
    ['another type', { typ: 'JWT', kid: 'k' }],
    ['no type', { kid: 'k' }],
    ['neither key nor chain', { typ: 'task+jwt' }],
    ['a key’s name that is too long', { typ: 'task+jwt', kid: 'k'.repeat(65) }],
    ['a member that nobody knows', { typ: 'task+jwt', kid: 'k', cty: 'x' }],
  ])('is refused with a header of %s', async (_what, header) => {
    expect(reasonOf(await signed({}, header))).toBe('token-header')
  })

  it('is refused with a key and a chain: who signed must be said once', async () => {
    expect(reasonOf(await signed({}, { typ: 'task+jwt', kid: 'k', x5c: x5cOf(key.chain) }))).toBe('token-header')
  })

  it.each([
    ['a claim that nobody knows', { scope: 'all' }],
    ['no grants', { authorization_details: [] }],
    ['grants of another type', { authorization_details: [{ ...claims.authorization_details[0], type: 'payment' }] }],
    ['a short identifier', { jti: 'short' }],
    ['a list of audiences', { aud: ['interlock:lab.example'] }],
    ['no binding to a certificate', { cnf: {} }],
  ])('is refused with %s', async (_what, change) => {
    expect(reasonOf(await signed(change))).toBe('token-claims')
  })

  it('attack 46: is refused with more actors than a chain may have, before anything recurses into them', async () => {
    const nested = (depth: number): object => (depth === 0 ? { sub: 'a' } : { sub: 'a', act: nested(depth - 1) })
    expect(reasonOf(await signed({ act: nested(delegationDepthMax - 1) }))).toBe('read')
    expect(reasonOf(await signed({ act: nested(delegationDepthMax) }))).toBe('token-too-deep')
    expect(reasonOf(await signed({ act: nested(400) }))).toBe('token-too-deep')
  })
})
