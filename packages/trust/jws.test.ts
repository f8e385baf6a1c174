import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import { CompactSign, compactVerify } from 'jose'
import { describe, expect, it } from 'vitest'
import { createIntermediate, createRoot, issueIdentity } from './issue/index.ts'
import { readJws, signJws } from './jws.ts'
import { algorithmOf, verifySignature } from './signing-key.ts'
import { keyOf } from './test-domain.ts'

const encode = (text: string) => Buffer.from(text).toString('base64url')
const token = (header: string, payload: string, signature = 'AAAA') => `${encode(header)}.${encode(payload)}.${signature}`
const good = token('{"alg":"ES256"}', '{"iss":"a"}')

describe('a compact JWS', () => {
  it('is read as its sender wrote it, with the digest of what is signed as its name', () => {
    expect(readJws(good)).toMatchObject({ ok: true, value: { header: { alg: 'ES256' }, payload: { iss: 'a' } } })
    const other = readJws(good.replace('AAAA', 'BBBB'))
    expect(other.ok && other.value.digest).toBe((readJws(good) as { value: { digest: string } }).value.digest)
  })

  it.each([
    ['attack 42: padding', `${good}=`],
    ['attack 42: a blank', `${good} `],
    ['attack 42: a line end', `${good}\n`],
    ['attack 42: unused bits that are set', `${good.slice(0, -4)}AAB`],
    ['attack 42: standard base64', good.replace('AAAA', 'AA+/')],
    ['attack 54: a member twice', token('{"alg":"ES256"}', '{"scope":"read","scope":"admin"}')],
    ['attack 54: a member twice, one of them escaped', token('{"alg":"ES256"}', '{"scope":"read","sc\\u006fpe":"admin"}')],
    ['attack 54: a header member twice', token('{"alg":"none","alg":"ES256"}', '{}')],
    ['attack 41: a key in its header', token('{"alg":"ES256","jwk":{}}', '{}')],
    ['attack 41: the address of a key', token('{"alg":"ES256","jku":"https://attacker.example"}', '{}')],
    ['attack 41: the address of a certificate', token('{"alg":"ES256","x5u":"https://attacker.example"}', '{}')],
    ['attack 59: compression', token('{"alg":"ES256","zip":"DEF"}', '{}')],
    ['attack 59: an encryption', token('{"alg":"ECDH-ES","enc":"A256GCM"}', '{}')],
    ['attack 59: five parts', `${good}.AAAA.AAAA`],
    ['a critical member that nobody understands', token('{"alg":"ES256","crit":["x"],"x":1}', '{}')],
    ['an unencoded payload', token('{"alg":"ES256","b64":false}', '{}')],
    ['a payload that is no object', token('{"alg":"ES256"}', '[1]')],
    ['bytes that are no text', `${encode('{"alg":"ES256"}')}.${Buffer.from([0x22, 0xff, 0x22]).toString('base64url')}.AAAA`],
    ['an empty signature', `${good.slice(0, good.lastIndexOf('.'))}.`],
    ['two parts', good.slice(0, good.lastIndexOf('.'))],
    ['nothing', ''],
  ])('is refused with %s', (_name, text) => expect(readJws(text)).toMatchObject({ ok: false, reason: 'jws-malformed' }))

  it('is refused unread where it is too large or nests too deep', () => {
    expect(readJws('A'.repeat(40_000))).toMatchObject({ reason: 'jws-too-large' })
    expect(readJws(token('{"alg":"ES256"}', `{"a":${'['.repeat(1000)}${']'.repeat(1000)}}`))).toMatchObject({ ok: false })
  })
})

describe('jose, as the peer', () => {
  it.each(['ES256', 'EdDSA'] as const)('makes what we verify, and verifies what we make: %s', async (algorithm) => {
    const pair = algorithm === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519')
    const theirs = await new CompactSign(Buffer.from('{"iss":"a"}')).setProtectedHeader({ alg: algorithm }).sign(pair.privateKey)
    const read = readJws(theirs)
    expect(read.ok && verifySignature(pair.publicKey, read.value.signingInput, read.value.signature)).toBe(true)
    expect(algorithmOf(pair.publicKey)).toBe(algorithm)
  })

  it('verifies what a signing key of ours signed', async () => {
    const now = Date.UTC(2026, 10, 24)
    const issuer = await createIntermediate(await createRoot('lab.example', now), 'lab.example', now)
    const identity = await issueIdentity(issuer, { name: 'a service', spiffeId: 'spiffe://lab.example/service/token' }, now)
    const made = await signJws({ typ: 'task+jwt' }, { iss: 'a' }, keyOf(identity))
    const { payload, protectedHeader } = await compactVerify(made, createPublicKey(identity.privateKey))
    expect(JSON.parse(Buffer.from(payload).toString('utf8'))).toEqual({ iss: 'a' })
    expect(protectedHeader).toEqual({ alg: 'ES256', typ: 'task+jwt' })
  })
})
