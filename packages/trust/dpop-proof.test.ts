import { randomUUID } from 'node:crypto'
import { calculateJwkThumbprint } from 'jose'
import { beforeAll, describe, expect, it } from 'vitest'
import { digest } from './digest.ts'
import { type DpopToVerify, verifyDpopProof } from './dpop-proof.ts'
import { jwkThumbprint, readPublicJwk } from './json-web-key.ts'
import { signJws } from './jws.ts'
import type { SigningKey } from './signing-key.ts'
import { keyOf, testDomain } from './test-domain.ts'

const now = Date.UTC(2026, 10, 25, 12)
const expected: DpopToVerify = { method: 'POST', address: 'https://tokens.lab.example/token', now, skewMs: 30_000 }

let key: SigningKey
let other: SigningKey
let jwk: Record<string, unknown>
let privateJwk: Record<string, unknown>

beforeAll(async () => {
  const domain = await testDomain(['service/token'], now)
  const identity = await domain.issue('agent/laser-operator/z1')
  key = keyOf(identity)
  other = keyOf(await domain.issue('agent/mill-operator/z1'))
  privateJwk = identity.privateKey.export({ format: 'jwk' }) as Record<string, unknown>
  const { d: _, ...rest } = privateJwk
  jwk = rest
})

const proof = (claims: object = {}, header: object = {}, by = key) =>
  signJws(
    { typ: 'dpop+jwt', jwk, ...header },
    { jti: randomUUID(), htm: 'POST', htu: expected.address, iat: now / 1000, ...claims },
    by,
  )
const reasonOf = async (text: string | Promise<string>, change: Partial<DpopToVerify> = {}) => {
  const found = verifyDpopProof(await text, { ...expected, ...change })
  return found.ok ? 'good' : found.reason
}

describe('a DPoP proof', () => {
  it('names the key that made it as jose does', async () => {
    const found = verifyDpopProof(await proof(), expected)
    expect(found.ok && found.value.thumbprint).toBe(await calculateJwkThumbprint(jwk))
  })

  it('counts for a minute and the clocks’ difference', async () => {
    const text = await proof()
    expect(await reasonOf(text, { now: now + 89_000 })).toBe('good')
    expect(await reasonOf(text, { now: now + 90_000 })).toBe('expired')
    expect(await reasonOf(text, { now: now - 30_000 })).toBe('good')
    expect(await reasonOf(text, { now: now - 31_000 })).toBe('not-yet-valid')
  })

  it.each<[string, () => Promise<string>, string]>([
    ['attack 36: for another method', () => proof({ htm: 'GET' }), 'method'],
    ['attack 36: for another address', () => proof({ htu: 'https://tokens.lab.example/revoke' }), 'address'],
    [
      'attack 36: for the same address, written in another way',
      () => proof({ htu: 'https://TOKENS.lab.example:443/token' }),
      'address',
    ],
    ['attack 36: for the address with a query', () => proof({ htu: `${expected.address}?a=b` }), 'address'],
    ['attack 37: made ten minutes ago', () => proof({ iat: now / 1000 - 600 }), 'expired'],
    ['attack 37: made in ten minutes', () => proof({ iat: now / 1000 + 600 }), 'not-yet-valid'],
    ['attack 37: without a time', () => proof({ iat: undefined }), 'claims'],
    ['attack 38: by another key than is in its header', () => proof({}, {}, other), 'signature'],
    ['attack 38: with its private key in the header', () => proof({}, { jwk: privateJwk }), 'key'],
    ['attack 38: without a key', () => proof({}, { jwk: undefined }), 'key'],
    ['attack 38: with a symmetric key', () => proof({}, { jwk: { kty: 'oct', k: 'AAAA' } }), 'key'],
    ['attack 38: with a point that is on no curve', () => proof({}, { jwk: { ...jwk, y: jwk.x } }), 'key'],
    ['attack 38: with a key for encryption', () => proof({}, { jwk: { ...jwk, use: 'enc' } }), 'key'],
    ['attack 38: with a key for another algorithm', () => proof({}, { jwk: { ...jwk, alg: 'ES384' } }), 'key'],
    ['with an address of a key beside it', () => proof({}, { jku: 'https://evil.example' }), 'jws-malformed'],
    ['with what must be understood and is not', () => proof({}, { crit: ['x'] }), 'jws-malformed'],
    ['of another type', () => proof({}, { typ: 'JWT' }), 'header'],
    ['by no algorithm', () => proof({}, { alg: 'none' }), 'signature'],
    ['by another algorithm than the key’s', () => proof({}, { alg: 'HS256' }), 'signature'],
    ['without an id', () => proof({ jti: undefined }), 'claims'],
    ['with an id that can be guessed', () => proof({ jti: '1' }), 'claims'],
    ['that is none', async () => 'x', 'jws-malformed'],
    ['two in one header', async () => `${await proof()}, ${await proof()}`, 'jws-malformed'],
    ['without end', async () => 'x'.repeat(40_000), 'jws-too-large'],
  ])('%s is refused', async (_what, make, reason) => expect(await reasonOf(make())).toBe(reason))

  it('is about the token that it comes with', async () => {
    const ath = digest(Buffer.from('the token'))
    expect(await reasonOf(proof({ ath }), { accessToken: 'the token' })).toBe('good')
    expect(await reasonOf(proof({ ath }), { accessToken: 'another' })).toBe('token')
    expect(await reasonOf(proof(), { accessToken: 'the token' })).toBe('token')
  })

  it('has the server’s nonce where one is demanded', async () => {
    expect(await reasonOf(proof({ nonce: 'n-1' }), { nonce: 'n-1' })).toBe('good')
    expect(await reasonOf(proof({ nonce: 'n-0' }), { nonce: 'n-1' })).toBe('nonce')
    expect(await reasonOf(proof(), { nonce: 'n-1' })).toBe('nonce')
  })
})

describe('a public key in JSON', () => {
  it('is named by RFC 7638, whatever else is written beside it', async () => {
    const read = readPublicJwk({ ...jwk, kid: 'mine', use: 'sig', key_ops: ['verify'], alg: 'ES256' })
    expect(read && jwkThumbprint(read)).toBe(await calculateJwkThumbprint(jwk))
  })
  it('of Ed25519 is one too', async () => {
    // RFC 8037 appendix A.3.
    const ed25519 = { kty: 'OKP', crv: 'Ed25519', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo' }
    const read = readPublicJwk(ed25519)
    expect(read && jwkThumbprint(read)).toBe('kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k')
  })
  it.each([
    ['a spelling with bits to spare', () => ({ ...jwk, x: `${String(jwk.x).slice(0, 42)}B` })],
    ['padding', () => ({ ...jwk, x: `${jwk.x}=` })],
    ['operations without verification', () => ({ ...jwk, key_ops: ['sign'] })],
  ])('is none with %s', (_what, make) => expect(readPublicJwk(make())).toBeUndefined())
})
