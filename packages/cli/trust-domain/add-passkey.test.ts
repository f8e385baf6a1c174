import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createPasskey, credentialOf, type SoftwarePasskey } from '@interlock/sdk/software-passkey'
import { laboratory } from '@interlock/sdk/trust-domain'
import { openTrustBundle, type PasskeyRegistration, signPasskeyInvitation, verifyControlEntry } from '@interlock/trust'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { addPasskey } from './add-passkey.ts'
import { readControlFile } from './control-file.ts'
import { initTrustDomain } from './init-trust-domain.ts'
import { signingKeyOf } from './jobs.ts'
import type { Layout } from './layout.ts'
import { readTrustBundle } from './trust-bundle-file.ts'

const now = Math.floor(Date.now() / 1000) * 1000
let directory: string
let layout: Layout
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'interlock-passkey-'))
  layout = (await initTrustDomain({ directory: join(directory, 'dev'), devices: [], now })).layout
})
afterEach(() => rmSync(directory, { recursive: true }))

const sha256 = (data: string | Buffer) => createHash('sha256').update(data).digest()
const noneRevoked = () => false
const passkeyOf = (id = randomBytes(32)) => createPasskey('alice', laboratory.webauthn, id)

/** What the page exports, of a passkey in a file: attestation `none`, user verified (WebAuthn L3 §6.5.4, §8.7). */
async function registered(passkey: SoftwarePasskey, human = 'alice'): Promise<PasskeyRegistration> {
  const operator = signingKeyOf(layout, 'operator-dev')
  const iat = now / 1000
  const claims = { iss: operator.spiffeId, aud: laboratory.audience, jti: randomUUID(), iat, exp: iat + 600, human }
  const invitation = await signPasskeyInvitation(claims, operator)
  const challenge = sha256(invitation).toString('base64url')
  const clientData = { type: 'webauthn.create', challenge, origin: passkey.origin, crossOrigin: false }
  const id = Buffer.from(passkey.credentialId, 'base64url')
  const authenticatorData = Buffer.concat([
    ...[sha256(passkey.rpId), Buffer.of(0x45), Buffer.alloc(4 + 16), Buffer.of(0, id.length), id],
    Buffer.from(credentialOf(passkey).publicKey, 'base64url'),
  ])
  const attestationObject = Buffer.concat([
    Buffer.from('\xa3\x63fmt\x64none\x67attStmt\xa0\x68authData\x58', 'latin1'),
    ...[Buffer.of(authenticatorData.length), authenticatorData],
  ])
  const response = {
    clientDataJSON: Buffer.from(JSON.stringify(clientData)).toString('base64url'),
    attestationObject: attestationObject.toString('base64url'),
  }
  return { invitation, registration: { id: passkey.credentialId, type: 'public-key', response } }
}

it('a passkey is added to the trust bundle and to the human’s signed entry, and is still there after the next start', async () => {
  const passkey = passkeyOf()
  const { entry } = await addPasskey(layout, await registered(passkey), now + 1, noneRevoked)
  const anchors = openTrustBundle(readTrustBundle(layout))
  const verified = verifyControlEntry(entry.entry, 'control.agents', anchors)
  expect(verified).toMatchObject({ ok: true, value: { id: 'human:alice', value: { roles: ['requester', 'approver'] } } })
  expect(JSON.stringify(verified)).toContain(passkey.credentialId)
  const ids = () =>
    readTrustBundle(layout)
      .humans?.find(({ sub }) => sub === 'alice')
      ?.credentials.map(({ id }) => id)
  expect(ids()).toHaveLength(2)
  await initTrustDomain({ directory: layout.directory, devices: [], now: now + 2 })
  const again = readControlFile(layout.controlEntries).find((one) => one.entry.id === 'human:alice')
  expect(again?.entry.statement.toString('utf8')).toContain(passkey.credentialId)
})

it.each<[string, () => Promise<PasskeyRegistration>, string]>([
  ['of nobody here', () => registered(passkeyOf(), 'mallory'), 'nobody is called mallory'],
  [
    'attack 84: that another human has',
    async () => registered(passkeyOf(Buffer.from(readTrustBundle(layout).humans?.[1]?.credentials[0]?.id ?? '', 'base64url'))),
    'somebody’s already',
  ],
  [
    'attack 81: for another address',
    async () => registered({ ...passkeyOf(), origin: 'https://evil.example' }),
    'does not count: registration',
  ],
])('a passkey is not added %s', async (_what, make, said) => {
  const before = readTrustBundle(layout)
  await expect(addPasskey(layout, await make(), now + 1, noneRevoked)).rejects.toThrow(said)
  expect(readTrustBundle(layout)).toEqual(before)
})

it('nor more than a human can have', async () => {
  for (let count = 1; count < 16; count++) await addPasskey(layout, await registered(passkeyOf()), now + count, noneRevoked)
  await expect(addPasskey(layout, await registered(passkeyOf()), now + 16, noneRevoked)).rejects.toThrow('has 16 passkeys')
})

it('attack 158: an invitation by an operator’s key that was revoked does not count', async () => {
  const { keyId } = signingKeyOf(layout, 'operator-dev')
  const isRevokedKey = (one: string) => one === keyId
  const added = addPasskey(layout, await registered(passkeyOf()), now + 1, isRevokedKey)
  await expect(added).rejects.toThrow('invitation-revoked-key')
})
