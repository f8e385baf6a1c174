import { createHash, generateKeyPairSync, randomBytes, verify } from 'node:crypto'
import type { Result, SpiffeId } from '@interlock/contracts'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { openAttestationKey } from './attestation-key.ts'
import { activateCredential } from './commands/activate-credential.ts'
import { create } from './commands/create.ts'
import { createPrimary } from './commands/create-primary.ts'
import { evictControl } from './commands/evict-control.ts'
import { handle } from './commands/execute.ts'
import { flushContext } from './commands/flush-context.ts'
import { getRandom } from './commands/get-random.ts'
import { load } from './commands/load.ts'
import { nvRead } from './commands/nv-read.ts'
import { pcrExtend } from './commands/pcr-extend.ts'
import { pcrRead } from './commands/pcr-read.ts'
import { readPublic } from './commands/read-public.ts'
import { hash, sign } from './commands/sign.ts'
import { startup } from './commands/startup.ts'
import { identified, openSigningKey } from './signing-key.ts'
import { attestType } from './structures/attest.ts'
import { u32 } from './structures/bytes.ts'
import { sha256Selection } from './structures/pcr-selection.ts'
import { parsePublicArea, qualifiedNameOf } from './structures/public-area.ts'
import { p256Endorsement, p384Endorsement, rsaEndorsement, signingKeyTemplate, storageKeyTemplate } from './templates.ts'
import { startTestTpm, type TestTpm } from './test-tpm.ts'
import type { TpmTransport } from './transport/transport.ts'
import { makeCredential } from './verifier/make-credential.ts'
import { pcrDigestOf } from './verifier/pcr-digest.ts'
import { attestBytes, endorsementSigner, quoted } from './verifier/test-attestation.ts'
import { certificateFor } from './verifier/test-certificates.ts'
import { verifyCertify } from './verifier/verify-certify.ts'
import { verifyQuote } from './verifier/verify-quote.ts'
import { verifyTime } from './verifier/verify-time.ts'

let tpm: TestTpm
let transport: TpmTransport
const pcrs = [0, 1, 2, 3, 4, 5, 6, 7, 23]
const nonce = randomBytes(32)
const reasonOf = (result: Result<unknown, string>): string => (result.ok ? 'ok' : result.reason)

beforeAll(async () => {
  tpm = await startTestTpm()
}, 60_000)
afterAll(async () => {
  await transport?.close()
  await tpm?.stop()
})
// Opening anew frees the slots of the test before.
beforeEach(async () => {
  await transport?.close()
  transport = await tpm.open()
})

describe('the attestation key', () => {
  it('is the same after a restart of the TPM, and its quotes verify', async () => {
    const before = await openAttestationKey(transport)
    await transport.close()
    await tpm.restart({ orderly: true })
    transport = await tpm.open()
    const after = await openAttestationKey(transport)
    expect(after.publicArea).toEqual(before.publicArea)

    const evidence = {
      attestationKey: before.publicArea,
      expectedExtraData: nonce,
      pcrs,
      pcrDigest: pcrDigestOf(await pcrRead(transport, pcrs)),
    }
    expect(reasonOf(verifyQuote({ ...evidence, ...(await after.quote({ qualifyingData: nonce, pcrs })) }))).toBe('ok')
  })

  it('has the name and the qualified name that the TPM says', async () => {
    const key = await openAttestationKey(transport)
    const said = await readPublic(transport, key.handle)
    const area = parsePublicArea(key.publicArea)
    expect(said.name).toEqual(key.name)
    expect(area.ok && qualifiedNameOf(area.value, [])).toEqual(said.qualifiedName)
  })

  async function quoteNow() {
    const key = await openAttestationKey(transport)
    const pcrDigest = pcrDigestOf(await pcrRead(transport, pcrs))
    return {
      ...(await key.quote({ qualifyingData: nonce, pcrs })),
      attestationKey: key.publicArea,
      expectedExtraData: nonce,
      pcrs,
      pcrDigest,
    }
  }

  async function countersOver(how: { orderly: boolean }) {
    const first = verifyQuote(await quoteNow())
    if (!first.ok) throw new Error(first.reason)
    const { clockMs, resetCount, restartCount } = first.value
    await transport.close()
    await tpm.restart(how)
    transport = await tpm.open()
    return { resetCount, second: verifyQuote({ ...(await quoteNow()), previous: { clock: clockMs, resetCount, restartCount } }) }
  }

  it('counts resets, and its clock does not go back over an orderly one', async () => {
    const { resetCount, second } = await countersOver({ orderly: true })
    expect(second).toMatchObject({ ok: true, value: { resetCount: resetCount + 1, isRestarted: true, safe: true } })
  })

  it('says after a power cut that its clock is not safe, and is still accepted', async () => {
    const { resetCount, second } = await countersOver({ orderly: false })
    expect(second).toMatchObject({ ok: true, value: { resetCount: resetCount + 1, isRestarted: true, safe: false } })
  })

  it('signs no data that begin with the TPM’s magic: TPM2_Hash gives them no ticket', async () => {
    const key = await openAttestationKey(transport)
    const honest = await hash(transport, Buffer.from('an ordinary message'))
    await expect(sign(transport, key.handle, honest.digest, honest.ticket)).resolves.toHaveLength(72)
    const forged = await hash(transport, Buffer.from('ff54434780180000', 'hex'))
    await expect(sign(transport, key.handle, forged.digest, forged.ticket)).rejects.toMatchObject({
      code: 'tpm-ticket',
      retriable: false,
    })
  })

  it('states the time', async () => {
    const key = await openAttestationKey(transport)
    const time = verifyTime({
      ...(await key.getTime({ qualifyingData: nonce })),
      attestationKey: key.publicArea,
      expectedExtraData: nonce,
    })
    expect(time.ok).toBe(true)
  })
})

describe('a forged quote', () => {
  it('that an unrestricted key of the same TPM signed is refused, though its signature verifies (attack 29)', async () => {
    const key = await createPrimary(transport, handle.endorsement, signingKeyTemplate('forger'))
    const pcrDigest = createHash('sha256').update('PCRs as policy wants them').digest()
    const attest = attestBytes({
      signer: endorsementSigner(key.publicArea),
      extraData: nonce,
      attested: quoted(sha256Selection(pcrs), pcrDigest),
      type: attestType.quote,
    })
    const signature = await sign(transport, key.handle, createHash('sha256').update(attest).digest())
    const evidence = { attest, signature, attestationKey: key.publicArea, expectedExtraData: nonce, pcrs, pcrDigest }
    expect(verifyQuote(evidence)).toMatchObject({
      reason: 'attestation-key-attributes',
      detail: { attribute: 'restricted is clear' },
    })
  })

  it('by another TPM’s attestation key is refused (attack 98)', async () => {
    const other = await startTestTpm()
    try {
      const otherTransport = await other.open()
      const [enrolled, foreign] = [await openAttestationKey(transport), await openAttestationKey(otherTransport)]
      const made = await foreign.quote({ qualifyingData: nonce, pcrs })
      const pcrDigest = pcrDigestOf(await pcrRead(otherTransport, pcrs))
      await otherTransport.close()
      const evidence = { ...made, attestationKey: enrolled.publicArea, expectedExtraData: nonce, pcrs, pcrDigest }
      expect(reasonOf(verifyQuote(evidence))).toBe('signature-invalid')
    } finally {
      await other.stop()
    }
  })

  it('is what a good quote becomes when a PCR is extended', async () => {
    const key = await openAttestationKey(transport)
    const pcrDigest = pcrDigestOf(await pcrRead(transport, pcrs))
    await pcrExtend(transport, 23, createHash('sha256').update('something else was started').digest())
    const made = await key.quote({ qualifyingData: nonce, pcrs })
    const evidence = { ...made, attestationKey: key.publicArea, expectedExtraData: nonce, pcrs }
    expect(reasonOf(verifyQuote({ ...evidence, pcrDigest }))).toBe('pcr-digest')
    expect(reasonOf(verifyQuote({ ...evidence, pcrDigest: pcrDigestOf(await pcrRead(transport, pcrs)) }))).toBe('ok')
  })
})

describe('credential activation (check 4)', () => {
  const kinds = { 'RSA 2048': rsaEndorsement, 'P-256': p256Endorsement, 'P-384': p384Endorsement }

  it.each(
    Object.entries(kinds),
  )('gives the secret back to the TPM with the endorsement key (%s) and the attestation key', async (_, template) => {
    const key = await openAttestationKey(transport)
    const endorsement = await createPrimary(transport, handle.endorsement, template.publicArea)
    const secret = randomBytes(32)
    const credential = makeCredential({ endorsementKey: endorsement.publicArea, name: key.name, secret })
    if (!credential.ok) throw new Error(credential.reason)
    const request = {
      attestationKey: key.handle,
      endorsementKey: endorsement.handle,
      policy: template.policy,
      credential: credential.value,
    }
    expect(await activateCredential(transport, request)).toEqual(secret)

    const other = await openSigningKey(transport, 'another name')
    await expect(activateCredential(transport, { ...request, attestationKey: other.handle })).rejects.toMatchObject({
      code: 'tpm-integrity',
    })
  })

  it('leaves no session behind, so that it can be done again and again', async () => {
    const key = await openAttestationKey(transport)
    const endorsement = await createPrimary(transport, handle.endorsement, p384Endorsement.publicArea)
    const credential = { credentialBlob: Buffer.alloc(40), encryptedSecret: Buffer.alloc(4) }
    const request = { attestationKey: key.handle, endorsementKey: endorsement.handle, policy: p384Endorsement.policy, credential }
    for (let round = 0; round < 8; round++)
      await expect(activateCredential(transport, request)).rejects.not.toMatchObject({ code: 'tpm-no-session-slot' })
  })

  it('is not made for a key that could open it for anybody', async () => {
    const key = await openAttestationKey(transport)
    expect(makeCredential({ endorsementKey: key.publicArea, name: key.name, secret: randomBytes(32) })).toMatchObject({
      reason: 'endorsement-key',
    })
  })
})

describe('a signing key', () => {
  it('makes ES256 signatures, is the same for its label and another for another', async () => {
    const key = await openSigningKey(transport, 'agent')
    const message = Buffer.from('signed by a TPM')
    for (let round = 0; round < 40; round++) {
      const signature = await key.sign(message)
      expect(signature).toHaveLength(64)
      expect(verify('sha256', message, { key: key.publicKey, dsaEncoding: 'ieee-p1363' }, signature)).toBe(true)
    }
    expect((await openSigningKey(transport, 'agent')).name).toEqual(key.name)
    await key.close()
    expect((await openSigningKey(transport, 'other')).name).not.toEqual(key.name)
  })

  it('signs for the identity that a certificate gave it, and for no other', async () => {
    const key = await openSigningKey(transport, 'agent')
    const spiffeId = 'spiffe://lab.interlock.example/device/laser-1' as SpiffeId
    const own = await certificateFor(key.publicKey)
    const signing = identified(key, spiffeId, [own])
    expect(signing).toMatchObject({ spiffeId, algorithm: 'ES256', keyId: createHash('sha256').update(own).digest('base64url') })
    expect(await signing.sign(Buffer.from('x'))).toHaveLength(64)
    const another = await certificateFor(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey)
    expect(() => identified(key, spiffeId, [another])).toThrow(/another key’s/)
    expect(() => identified(key, spiffeId, [])).toThrow(/another key’s/)
  })

  it('is certified by the attestation key (check 14)', async () => {
    const key = await openAttestationKey(transport)
    const signing = await openSigningKey(transport, 'agent')
    const evidence = {
      attestationKey: key.publicArea,
      expectedExtraData: nonce,
      certifiedKey: signing.publicArea,
      requestKey: signing.publicKey,
    }
    expect(reasonOf(verifyCertify({ ...(await key.certify({ object: signing, qualifyingData: nonce })), ...evidence }))).toBe(
      'ok',
    )
    const itself = await key.certify({ object: key, qualifyingData: nonce })
    expect(reasonOf(verifyCertify({ ...itself, ...evidence }))).toBe('certified-name')
  })
})

describe('other commands', () => {
  it('create and load a wrapped key, and keep it at a persistent handle', async () => {
    const parent = await createPrimary(transport, handle.owner, storageKeyTemplate)
    const wrapped = await create(transport, parent.handle, signingKeyTemplate(''))
    const loaded = await load(transport, parent.handle, wrapped)
    const persistent = 0x8100_0100
    await evictControl(transport, loaded.handle, persistent)
    expect((await readPublic(transport, persistent)).name).toEqual(loaded.name)
    await evictControl(transport, persistent, persistent)
    await expect(readPublic(transport, persistent)).rejects.toMatchObject({
      name: 'TpmError',
      code: 'tpm-handle',
      retriable: false,
    })
  })

  it('read the endorsement certificate, in chunks', async () => {
    expect((await nvRead(transport, p384Endorsement.certificateIndex)).subarray(0, 2).toString('hex')).toBe('3082')
    expect((await nvRead(transport, rsaEndorsement.certificateIndex)).length).toBeGreaterThan(1000)
  })

  it('read all 24 PCRs, eight at a time, and extend one', async () => {
    const all = Array.from({ length: 24 }, (_, pcr) => pcr)
    const before = await pcrRead(transport, all)
    expect(before.size).toBe(24)
    await pcrExtend(transport, 16, Buffer.alloc(32, 1))
    const expected = createHash('sha256')
      .update(before.get(16) ?? '')
      .update(Buffer.alloc(32, 1))
      .digest()
    expect((await pcrRead(transport, [16])).get(16)).toEqual(expected)
  })

  it('give random bytes of any length', async () => {
    expect(await getRandom(transport, 200)).toHaveLength(200)
  })

  it('are answered in order when they are sent at once', async () => {
    const key = await openAttestationKey(transport)
    const nonces = Array.from({ length: 20 }, () => randomBytes(32))
    const pcrDigest = pcrDigestOf(await pcrRead(transport, [0]))
    const quotes = await Promise.all(nonces.map((qualifyingData) => key.quote({ qualifyingData, pcrs: [0] })))
    for (const [index, made] of quotes.entries()) {
      const evidence = {
        ...made,
        attestationKey: key.publicArea,
        expectedExtraData: nonces[index] ?? nonce,
        pcrs: [0],
        pcrDigest,
      }
      expect(reasonOf(verifyQuote(evidence))).toBe('ok')
    }
  })

  it('say which response code a TPM gave and what to do about it', async () => {
    const keys = [await openAttestationKey(transport), await openAttestationKey(transport), await openAttestationKey(transport)]
    await expect(openAttestationKey(transport)).rejects.toMatchObject({ code: 'tpm-no-object-slot', responseCode: 0x902 })
    await keys[0]?.close()
    await expect(flushContext(transport, 0x8000_0009)).rejects.toMatchObject({ code: 'tpm-refused', responseCode: 0x1c4 })
    await expect(openAttestationKey(transport)).resolves.toHaveProperty('handle')
  })

  it('start a TPM that is started already', async () => {
    await expect(startup(transport)).resolves.toBeUndefined()
  })

  it('refuse what no TPM could take', async () => {
    await expect(pcrExtend(transport, 16, Buffer.alloc(31))).rejects.toThrow(RangeError)
    expect(() => sha256Selection([24])).toThrow(RangeError)
    expect(() => signingKeyTemplate('x'.repeat(33))).toThrow(RangeError)
    expect(u32(1)).toHaveLength(4)
  })
})
