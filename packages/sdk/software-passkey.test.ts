import { createHash, randomBytes } from 'node:crypto'
import { verifyAuthenticationResponse } from '@simplewebauthn/server'
import { expect, test } from 'vitest'
import { assertWithPasskey, createPasskey, credentialOf, softwarePasskeySchema } from './software-passkey.ts'

const passkey = createPasskey('bob', { rpId: 'lab.example', origin: 'https://console.lab.example' }, randomBytes(32))
const challenge = createHash('sha256').update('what bob was shown').digest()

async function verify(expected: { challenge?: string; origin?: string; rpId?: string } = {}) {
  const assertion = assertWithPasskey(passkey, challenge)
  const credential = credentialOf(passkey)
  return verifyAuthenticationResponse({
    response: {
      id: credential.id,
      rawId: credential.id,
      type: 'public-key',
      clientExtensionResults: {},
      response: {
        authenticatorData: assertion.authenticatorData.toString('base64url'),
        clientDataJSON: assertion.clientDataJson.toString('base64url'),
        signature: assertion.signature.toString('base64url'),
      },
    },
    expectedChallenge: expected.challenge ?? challenge.toString('base64url'),
    expectedOrigin: expected.origin ?? 'https://console.lab.example',
    expectedRPID: expected.rpId ?? 'lab.example',
    credential: { id: credential.id, publicKey: new Uint8Array(Buffer.from(credential.publicKey, 'base64url')), counter: 0 },
    requireUserVerification: true,
  })
}

test('signs what a WebAuthn server accepts, user verified', async () => {
  const { verified, authenticationInfo } = await verify()
  expect(verified).toBe(true)
  expect(authenticationInfo).toMatchObject({ userVerified: true, credentialDeviceType: 'singleDevice' })
})

test.each([
  ['another challenge', { challenge: 'A'.repeat(43) }],
  ['another origin', { origin: 'https://evil.example' }],
  ['another relying party', { rpId: 'evil.example' }],
])('its assertion does not pass for %s', async (_, expected) => {
  await expect(verify(expected)).rejects.toThrow()
})

test('survives being written to a file', () => {
  expect(softwarePasskeySchema.parse(JSON.parse(JSON.stringify(passkey)))).toEqual(passkey)
})
