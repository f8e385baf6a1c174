import { constants, createDecipheriv, generateKeyPairSync, privateDecrypt } from 'node:crypto'
import type { Result } from '@interlock/contracts'
import { describe, expect, it } from 'vitest'
import { algorithm } from '../structures/algorithms.ts'
import { sized, u16, u32 } from '../structures/bytes.ts'
import { type CredentialChallenge, CredentialChallenges } from './credential-challenges.ts'
import { kdfa } from './key-derivation.ts'

const reasonOf = (result: Result<unknown, string>): string => (result.ok ? 'ok' : result.reason)
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const name = Buffer.alloc(34, 7)
const now = 1_000_000
const limits = { validityMs: 60_000, openMax: 2 }

const modulus = Buffer.from((publicKey.export({ format: 'jwk' }) as { n: string }).n, 'base64url')
const endorsementKey = Buffer.concat([
  ...[u16(algorithm.rsa), u16(algorithm.sha256), u32(0x0003_00b2), sized(Buffer.alloc(32))],
  ...[u16(algorithm.aes), u16(128), u16(algorithm.cfb), u16(algorithm.null), u16(2048), u32(0), sized(modulus)],
])

/** What a TPM does to open a credential (TPM 2.0 part 1, 24), without its check of the name. */
function answerTo({ credentialBlob, encryptedSecret }: CredentialChallenge): Buffer {
  const padding = constants.RSA_PKCS1_OAEP_PADDING
  const seed = privateDecrypt(
    { key: privateKey, padding, oaepHash: 'sha256', oaepLabel: Buffer.from('IDENTITY\0') },
    encryptedSecret,
  )
  const key = kdfa(seed, { hash: 'sha256', label: 'STORAGE', partyU: name, bits: 128 })
  const cipher = createDecipheriv('aes-128-cfb', key, Buffer.alloc(16))
  return Buffer.concat([cipher.update(credentialBlob.subarray(34)), cipher.final()]).subarray(2)
}

function issued(challenges: CredentialChallenges): CredentialChallenge {
  const challenge = challenges.issue({ endorsementKey, name }, now)
  if (!challenge.ok) throw new Error(challenge.reason)
  return challenge.value
}

describe('a credential challenge (check 4)', () => {
  it('is answered by who opened the credential, and gives the name it was made for', () => {
    const challenges = new CredentialChallenges(limits)
    const challenge = issued(challenges)
    expect(challenges.redeem(challenge.id, answerTo(challenge), now)).toEqual({ ok: true, value: name })
  })

  it('is answered once only', () => {
    const challenges = new CredentialChallenges(limits)
    const challenge = issued(challenges)
    challenges.redeem(challenge.id, answerTo(challenge), now)
    expect(reasonOf(challenges.redeem(challenge.id, answerTo(challenge), now))).toBe('challenge-unknown')
  })

  it('is gone after a wrong answer: nobody tries twice', () => {
    const challenges = new CredentialChallenges(limits)
    const challenge = issued(challenges)
    expect(reasonOf(challenges.redeem(challenge.id, Buffer.alloc(32), now))).toBe('challenge-wrong')
    expect(reasonOf(challenges.redeem(challenge.id, answerTo(challenge), now))).toBe('challenge-unknown')
  })

  it('refuses the answer to another challenge, a short one, and a late one', () => {
    const challenges = new CredentialChallenges(limits)
    const [one, other] = [issued(challenges), issued(challenges)]
    expect(reasonOf(challenges.redeem(one.id, answerTo(other), now))).toBe('challenge-wrong')
    expect(reasonOf(challenges.redeem(other.id, answerTo(other), now + limits.validityMs))).toBe('challenge-expired')
    const third = issued(challenges)
    expect(reasonOf(challenges.redeem(third.id, answerTo(third).subarray(1), now))).toBe('challenge-wrong')
  })

  it('is not issued for what is no endorsement key', () => {
    const challenges = new CredentialChallenges(limits)
    expect(reasonOf(challenges.issue({ endorsementKey: endorsementKey.subarray(1), name }, now))).toBe('public-area-malformed')
  })

  it('is not issued without bound, until others expire', () => {
    const challenges = new CredentialChallenges(limits)
    issued(challenges)
    issued(challenges)
    expect(reasonOf(challenges.issue({ endorsementKey, name }, now))).toBe('too-many-challenges')
    expect(reasonOf(challenges.issue({ endorsementKey, name }, now + limits.validityMs))).toBe('ok')
  })
})
