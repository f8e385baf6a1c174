import { spawnSync } from 'node:child_process'
import { createPublicKey, generateKeyPairSync, type KeyObject } from 'node:crypto'
import { chmodSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { chainPem, keyPem } from '@interlock/sdk/pem'
import { agentSpiffeId } from '@interlock/sdk/trust-domain'
import { readRevocationList, validateSvid } from '@interlock/trust'
import { certifyIntermediate, issueCertificate, issueRevocationList, subjectKeyIdentifierOf } from '@interlock/trust/issue'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Pkcs11Settings } from './pkcs11-issuer.ts'
import { openAuthority } from './watch-authority.ts'

const module = [
  '/usr/lib/softhsm/libsofthsm2.so',
  '/opt/homebrew/lib/softhsm/libsofthsm2.so',
  '/usr/local/lib/softhsm/libsofthsm2.so',
].find((path) => existsSync(path))

/** SoftHSM is a real PKCS#11 module whose hardware is a folder. `npm test` installs it. */
describe('an authority whose key is in a PKCS#11 module', () => {
  const directory = mkdtempSync(join(tmpdir(), 'interlock-hsm-'))
  const certificateFile = join(directory, 'authority.pem')
  let fixture: Fixture
  let settings: Pkcs11Settings
  let publicKey: KeyObject

  function tool(command: string, ...words: string[]): Buffer {
    const { status, stdout, stderr, error } = spawnSync(command, words, { env: { ...process.env, PIN: '1234' } })
    if (error || status !== 0) throw new Error(`${command}: ${error ?? stderr}`)
    return stdout
  }
  const inToken = (...words: string[]) => tool('pkcs11-tool', '--module', settings.module, '--token-label', 'interlock', ...words)
  const loggedIn = (...words: string[]) => inToken('--login', '--pin', 'env:PIN', ...words)

  beforeAll(async () => {
    if (!module) throw new Error('there is no SoftHSM: npm test installs it where it can')
    fixture = await createFixture(Date.now())
    writeFileSync(
      join(directory, 'softhsm2.conf'),
      `directories.tokendir = ${directory}\nobjectstore.backend = file\nlog.level = ERROR\n`,
    )
    process.env.SOFTHSM2_CONF = join(directory, 'softhsm2.conf')
    settings = { module, token: 'interlock', pinFile: join(directory, 'pin') }
    writeFileSync(settings.pinFile, '1234\n', { mode: 0o600 })
    tool('softhsm2-util', '--init-token', '--free', '--label', 'interlock', '--pin', '1234', '--so-pin', '5678')
    loggedIn('--keypairgen', '--key-type', 'EC:prime256v1', '--label', 'authority', '--id', '01')
    publicKey = createPublicKey({ key: inToken('--read-object', '--type', 'pubkey', '--id', '01'), format: 'der', type: 'spki' })
    const certificate = await certifyIntermediate(fixture.domain.root, fixture.trust.anchors.trustDomain, publicKey, Date.now())
    writeFileSync(certificateFile, chainPem([Buffer.from(certificate.rawData)]))
    // The key gets the name that its certificate has for it.
    for (const type of ['privkey', 'pubkey'])
      loggedIn('--type', type, '--id', '01', '--set-id', subjectKeyIdentifierOf(certificate))
  })
  afterAll(() => {
    delete process.env.SOFTHSM2_CONF
    rmSync(directory, { recursive: true })
  })
  const open = (change: Partial<Pkcs11Settings> = {}, certificate = certificateFile) =>
    openAuthority({ certificate, pkcs11: { ...settings, ...change } })

  it('issues certificates that every verifier accepts', async () => {
    const key = createPublicKey(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey)
    const profile = { name: 'an agent', spiffeId: agentSpiffeId('laser-operator', 'h1') }
    const chain = await issueCertificate(await open(), profile, key, Date.now())
    expect(validateSvid(chain, fixture.trust.anchors, Date.now(), 30_000)).toMatchObject({ ok: true })
  })

  it('signs revocation lists', async () => {
    const now = Date.now()
    const profile = { number: now, thisUpdateMs: now, nextUpdateMs: now + 60_000, revoked: [{ serial: '40ff', from: now }] }
    expect(readRevocationList(await issueRevocationList(await open(), profile))?.serials).toEqual(new Set(['40ff']))
  })

  it('signs many at once', async () => {
    const issuer = await open()
    const signatures = await Promise.all(Array.from({ length: 20 }, (_, at) => issuer.sign(Buffer.from(`${at}`))))
    expect(new Set(signatures.map((one) => one.toString('hex'))).size).toBe(20)
  })

  it('does not start with a wrong PIN, and says so without it', async () => {
    const pinFile = join(directory, 'wrong-pin')
    writeFileSync(pinFile, '987654', { mode: 0o600 })
    const failure = await open({ pinFile }).catch(String)
    expect(failure).toMatch(/PIN_INCORRECT/)
    expect(failure).not.toContain('987654')
  })

  it('does not start with a PIN that others can read', async () => {
    const pinFile = join(directory, 'open-pin')
    writeFileSync(pinFile, '1234')
    chmodSync(pinFile, 0o644)
    await expect(open({ pinFile })).rejects.toThrow(/chmod 600/)
  })

  it('does not start by a certificate of another key', async () => {
    const other = join(directory, 'other.pem')
    writeFileSync(other, chainPem([Buffer.from(fixture.domain.issuer.certificate.rawData)]))
    await expect(open({}, other)).rejects.toThrow(/did not sign/)
    const file = join(directory, 'other.key.pem')
    writeFileSync(file, keyPem(generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey), { mode: 0o600 })
    await expect(openAuthority({ certificate: other, key: file })).rejects.toThrow(/the key is not that of/)
  })

  it('says which module or token is not there', async () => {
    await expect(open({ module: '/nowhere.so' })).rejects.toThrow(/did not sign/)
    await expect(open({ token: 'another' })).rejects.toThrow(/did not sign/)
  })

  it('has a key that does not come out', () => {
    expect(loggedIn('--list-objects', '--type', 'privkey').toString()).toContain('never extractable')
    expect(readFileSync(certificateFile, 'utf8')).not.toContain('PRIVATE')
  })
})
