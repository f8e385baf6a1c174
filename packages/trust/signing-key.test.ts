import { generateKeyPairSync, X509Certificate } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Identity } from './issue/index.ts'
import { algorithmOf, loadSigningKey, SigningKeyError, signingKey, verifySignature } from './signing-key.ts'
import { testDomain } from './test-domain.ts'

const bytes = Buffer.from('a statement')

describe('a signing key', () => {
  let identity: Identity
  let other: Identity
  const directory = mkdtempSync(join(tmpdir(), 'interlock-key-'))
  const [keyFile, chainFile] = [join(directory, 'a.key.pem'), join(directory, 'a.chain.pem')]
  beforeAll(async () => {
    const domain = await testDomain(['operator/dev'], Date.now())
    identity = await domain.issue('enforcer/identity-verify')
    other = await domain.issue('enforcer/device-dispatch')
    const pem = (der: Buffer) => `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`
    writeFileSync(keyFile, identity.privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 })
    writeFileSync(chainFile, identity.chain.map(pem).join(''))
  })
  afterAll(() => rmSync(directory, { recursive: true }))

  it('is read from two files and signs in the name of its certificate', async () => {
    chmodSync(keyFile, 0o600)
    const key = loadSigningKey(keyFile, chainFile)
    expect(key).toMatchObject({ spiffeId: 'spiffe://lab.example/enforcer/identity-verify', algorithm: 'ES256' })
    expect(key.chain).toEqual(identity.chain)
    expect(await key.sign(bytes)).toHaveLength(64)
  })

  it.each(['644', '640', '604', '660'])('attack 156: is refused where others may read its file, mode %s', (mode) => {
    chmodSync(keyFile, Number.parseInt(mode, 8))
    expect(() => loadSigningKey(keyFile, chainFile)).toThrow(SigningKeyError)
    expect(() => loadSigningKey(keyFile, chainFile)).toThrow('chmod 600')
  })

  it('is refused with a chain that is not its own, or none', () => {
    expect(() => signingKey(identity.privateKey, other.chain)).toThrow('does not belong to the first certificate')
    expect(() => signingKey(identity.privateKey, [])).toThrow('empty')
  })

  it('signs what its public key verifies, and nothing else', async () => {
    const key = signingKey(identity.privateKey, identity.chain)
    const signature = await key.sign(bytes)
    const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const own = signingKeyPublic(identity)
    expect(verifySignature(own, bytes, signature)).toBe(true)
    expect(verifySignature(own, Buffer.from('another statement'), signature)).toBe(false)
    expect(verifySignature(publicKey, bytes, signature)).toBe(false)
    // DER and longer spellings of the same signature are other signatures to who counts them (RFC 7518 §3.4).
    expect(verifySignature(own, bytes, Buffer.concat([signature, Buffer.alloc(1)]))).toBe(false)
    expect(verifySignature(own, bytes, Buffer.alloc(64))).toBe(false)
  })

  it.each([
    ['ec', { namedCurve: 'P-256' }, 'ES256'],
    ['ec', { namedCurve: 'P-384' }, undefined],
    ['ec', { namedCurve: 'secp256k1' }, undefined],
    ['ed25519', {}, 'EdDSA'],
    ['ed448', {}, undefined],
    ['rsa', { modulusLength: 2048 }, undefined],
  ])('has the algorithm of its kind: %s %j is %s', (type, options, algorithm) => {
    const { publicKey } = generateKeyPairSync(type as 'ec', options as { namedCurve: string })
    expect(algorithmOf(publicKey)).toBe(algorithm)
    expect(algorithmOf(publicKey)).toBe(algorithm)
    if (!algorithm) expect(verifySignature(publicKey, bytes, Buffer.alloc(64))).toBe(false)
  })
})

function signingKeyPublic({ chain }: Identity) {
  return new X509Certificate(chain[0] as Buffer).publicKey
}
