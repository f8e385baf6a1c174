import { constants, generateKeyPairSync, sign } from 'node:crypto'
import type { Result } from '@interlock/contracts'
import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { algorithm } from '../structures/algorithms.ts'
import { attestType } from '../structures/attest.ts'
import { sized, u8, u16, u32 } from '../structures/bytes.ts'
import { objectAttribute } from '../structures/object-attributes.ts'
import { sha256Selection } from '../structures/pcr-selection.ts'
import { tpmVector } from '../test-vectors.ts'
import { pcrDigestOf } from './pcr-digest.ts'
import {
  attestationAttributes,
  attestBytes,
  ecdsaSignature,
  endorsementSigner,
  p256Area,
  quoted,
  rsaArea,
  sampleNonce,
  samplePcrs,
  sampleQuote,
  sampleValues,
  softwareKey,
} from './test-attestation.ts'
import { type QuoteEvidence, verifyQuote } from './verify-quote.ts'

const reasonOf = (result: Result<unknown, string>): string => (result.ok ? 'ok' : result.reason)
const verdict = (evidence: QuoteEvidence): string => reasonOf(verifyQuote(evidence))
const key = softwareKey()
const digest = pcrDigestOf(sampleValues)

describe('a good quote', () => {
  it('gives the clock, the counters, the firmware, the signer and the PCR digest', () => {
    expect(verifyQuote(sampleQuote(key))).toEqual({
      ok: true,
      value: {
        clockMs: 60_000,
        resetCount: 3,
        restartCount: 1,
        safe: true,
        isRestarted: false,
        firmwareVersion: '0102030405060708',
        qualifiedSigner: endorsementSigner(key.publicArea),
        pcrDigest: digest,
      },
    })
  })

  it.each(['rsassa', 'rsapss'] as const)('may be signed by an RSA key (%s)', (scheme) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const area = rsaArea(publicKey)
    area.writeUInt16BE(algorithm[scheme], 12)
    const good = sampleQuote(key, { signer: endorsementSigner(area) })
    const padding = scheme === 'rsassa' ? constants.RSA_PKCS1_PADDING : constants.RSA_PKCS1_PSS_PADDING
    const signed = sign('sha256', good.attest, { key: privateKey, padding, saltLength: 32 })
    const signature = Buffer.concat([u16(algorithm[scheme]), u16(algorithm.sha256), sized(signed)])
    expect(verdict({ ...good, attestationKey: area, signature })).toBe('ok')
  })

  it.each([
    ['as long as the digest', 32, 'ok'],
    ['as long as there is room for', 222, 'ok'],
    ['a byte shorter than the digest', 31, 'signature-invalid'],
    ['of no length', 0, 'signature-invalid'],
  ])('may have an RSAPSS signature with a salt as a TPM makes it: %s', (_what, saltLength, expected) => {
    const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    const area = rsaArea(publicKey)
    area.writeUInt16BE(algorithm.rsapss, 12)
    const good = sampleQuote(key, { signer: endorsementSigner(area) })
    const signed = sign('sha256', good.attest, { key: privateKey, padding: constants.RSA_PKCS1_PSS_PADDING, saltLength })
    const signature = Buffer.concat([u16(algorithm.rsapss), u16(algorithm.sha256), sized(signed)])
    expect(verdict({ ...good, attestationKey: area, signature })).toBe(expected)
  })

  it('may be signed by a key below others of the endorsement hierarchy, when they are known', () => {
    const parent = softwareKey().publicArea
    const evidence = sampleQuote(key, { signer: endorsementSigner(key.publicArea, [parent]) })
    expect(verdict({ ...evidence, ancestors: [parent] })).toBe('ok')
    expect(verdict(evidence)).toBe('qualified-signer')
    expect(verdict({ ...evidence, ancestors: [softwareKey().publicArea] })).toBe('qualified-signer')
    expect(verdict({ ...evidence, ancestors: [parent.subarray(1)] })).toBe('public-area-malformed')
  })
})

describe('the attestation key (checks 1 and 2)', () => {
  const required = ['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'restricted', 'sign'] as const
  const forbidden = ['decrypt', 'x509sign', 'stClear', 'encryptedDuplication'] as const

  it.each(required)('refuses a key without %s', (attribute) => {
    expect(verdict(sampleQuote(softwareKey({ attributes: attestationAttributes & ~objectAttribute[attribute] })))).toBe(
      'attestation-key-attributes',
    )
  })

  it.each(forbidden)('refuses a key with %s', (attribute) => {
    expect(verdict(sampleQuote(softwareKey({ attributes: attestationAttributes | objectAttribute[attribute] })))).toBe(
      'attestation-key-attributes',
    )
  })

  it('refuses the unrestricted sign-and-decrypt key 0x000600F2 that node-tpm2 calls an attestation key', () => {
    expect(verdict(sampleQuote(softwareKey({ attributes: 0x0006_00f2 })))).toBe('attestation-key-attributes')
  })

  it('refuses a key without a fixed scheme', () => {
    expect(verdict(sampleQuote(softwareKey({ scheme: [algorithm.null] })))).toBe('attestation-key-scheme')
  })

  it('refuses a key whose scheme hashes with SHA-1', () => {
    expect(verdict(sampleQuote(softwareKey({ scheme: [algorithm.ecdsa, algorithm.sha1] })))).toBe('attestation-key-scheme')
  })

  it('refuses an ECC key with an RSA scheme', () => {
    expect(verdict(sampleQuote(softwareKey({ scheme: [algorithm.rsassa, algorithm.sha256] })))).toBe('attestation-key-scheme')
  })

  it('refuses an attestation key that has a symmetric scheme, as storage keys do', () => {
    const area = Buffer.concat([
      key.publicArea.subarray(0, 10),
      u16(algorithm.aes),
      u16(128),
      u16(algorithm.cfb),
      key.publicArea.subarray(12),
    ])
    expect(verdict(sampleQuote({ ...key, publicArea: area }))).toBe('attestation-key-scheme')
  })

  it('refuses RSA below 2048 bits', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 1024 })
    expect(verdict({ ...sampleQuote(key), attestationKey: rsaArea(publicKey, { bits: 1024 }) })).toBe('attestation-key-weak')
  })

  it('refuses an RSA exponent of 3', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
    expect(verdict({ ...sampleQuote(key), attestationKey: rsaArea(publicKey, { exponent: 3 }) })).toBe('attestation-key-weak')
  })

  it('refuses a point that is not on the curve', () => {
    const area = Buffer.from(key.publicArea)
    area.writeUInt8(area.readUInt8(area.length - 1) ^ 1, area.length - 1)
    expect(verdict({ ...sampleQuote(key), attestationKey: area })).toBe('attestation-key-weak')
  })

  it.each([
    ['a trailing byte', Buffer.concat([key.publicArea, u8(0)])],
    ['a missing byte', key.publicArea.subarray(0, -1)],
    ['no bytes', Buffer.alloc(0)],
    [
      'a name made with SHA-1',
      p256Area(generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey, { nameAlgorithm: algorithm.sha1 }),
    ],
    ['an authPolicy of 65,535 bytes', Buffer.concat([key.publicArea.subarray(0, 8), u16(0xffff), key.publicArea.subarray(10)])],
  ])('refuses a public area with %s', (_, attestationKey) => {
    expect(verdict({ ...sampleQuote(key), attestationKey })).toBe('public-area-malformed')
  })
})

describe('the signature (check 5)', () => {
  it('refuses one of another key', () => {
    const good = sampleQuote(key)
    expect(verdict({ ...good, signature: softwareKey().sign(good.attest) })).toBe('signature-invalid')
  })

  it('refuses the right key over other bytes', () => {
    expect(verdict({ ...sampleQuote(key), signature: key.sign(Buffer.from('another statement')) })).toBe('signature-invalid')
  })

  it('refuses an attest that was changed after it was signed', () => {
    const good = sampleQuote(key)
    const attest = Buffer.from(good.attest)
    attest.writeUInt8(attest.readUInt8(attest.length - 1) ^ 1, attest.length - 1)
    expect(verdict({ ...good, attest })).toBe('signature-invalid')
  })

  it('is verified before a byte of the attest is read', () => {
    expect(verdict({ ...sampleQuote(key), attest: Buffer.from('no attest at all') })).toBe('signature-invalid')
  })

  it('refuses another scheme than the key’s, though the signature verifies by it', () => {
    const good = sampleQuote(key)
    const p1363 = sign('sha384', good.attest, { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
    expect(verdict({ ...good, signature: ecdsaSignature(algorithm.sha384, p1363) })).toBe('signature-scheme')
  })

  it('refuses SHA-1', () => {
    const good = sampleQuote(key)
    const p1363 = sign('sha1', good.attest, { key: key.privateKey, dsaEncoding: 'ieee-p1363' })
    expect(verdict({ ...good, signature: ecdsaSignature(algorithm.sha1, p1363) })).toBe('signature-malformed')
  })

  it.each([
    ['a trailing byte', (bytes: Buffer) => Buffer.concat([bytes, u8(0)])],
    ['a missing byte', (bytes: Buffer) => bytes.subarray(0, -1)],
    ['numbers of 65,535 bytes', (bytes: Buffer) => Buffer.concat([bytes.subarray(0, 4), u16(0xffff), bytes.subarray(6)])],
    ['TPM_ALG_NULL', () => u16(algorithm.null)],
    ['TPM_ALG_HMAC', () => Buffer.concat([u16(algorithm.hmac), u16(algorithm.sha256), Buffer.alloc(32)])],
  ])('refuses a signature with %s', (_, change) => {
    const good = sampleQuote(key)
    expect(verdict({ ...good, signature: change(Buffer.from(good.signature)) })).toBe('signature-malformed')
  })

  it.each([
    ['zero', Buffer.alloc(64)],
    ['beyond the order', Buffer.alloc(64, 0xff)],
    ['longer than the curve', Buffer.alloc(66, 1)],
  ])('refuses r and s that are %s', (_, p1363) => {
    expect(verdict({ ...sampleQuote(key), signature: ecdsaSignature(algorithm.sha256, p1363) })).toBe('signature-invalid')
  })
})

describe('the statement (checks 5, 6, 7)', () => {
  const tampered = (fields: Parameters<typeof sampleQuote>[1]): string => verdict(sampleQuote(key, fields))
  const selection = quoted(sha256Selection(samplePcrs), digest)

  it('refuses what does not begin with the TPM’s magic (attack 29)', () => {
    expect(tampered({ magic: 0xff54_4348 })).toBe('not-tpm-generated')
  })

  it('refuses a certification in place of a quote (attack 29)', () => {
    const name = endorsementSigner(key.publicArea)
    expect(tampered({ type: attestType.certify, attested: Buffer.concat([sized(name), sized(name)]) })).toBe('attest-type')
  })

  it('refuses a certification whose body is that of a quote, and the other way round', () => {
    expect(tampered({ type: attestType.certify })).toBe('attest-malformed')
    const name = endorsementSigner(key.publicArea)
    expect(tampered({ attested: Buffer.concat([sized(name), sized(name)]) })).toBe('attest-malformed')
  })

  it.each([
    ['trailing bytes', { tail: u8(0) }],
    ['an unknown type', { type: 0x8014 }],
    ['a yes-or-no of 2', { safe: 2 }],
    ['a clock beyond 2^53', { clock: 2n ** 53n }],
    ['17 PCR banks', { attested: quoted(Buffer.concat([u32(17), ...Array(17).fill(sha256Selection([0]).subarray(4))]), digest) }],
    ['a billion PCR banks', { attested: u32(1_000_000_000) }],
    ['a digest cut short', { attested: selection.subarray(0, -1) }],
    ['a signer of 67 bytes', { signer: Buffer.alloc(67) }],
  ])('refuses an attest with %s', (_, fields) => {
    expect(tampered(fields)).toBe('attest-malformed')
  })

  it('refuses another nonce, a longer and an empty one (attacks 23 and 24)', () => {
    expect(tampered({ extraData: Buffer.alloc(32, 1) })).toBe('nonce-mismatch')
    expect(tampered({ extraData: Buffer.concat([sampleNonce, u8(0)]) })).toBe('nonce-mismatch')
    expect(tampered({ extraData: Buffer.alloc(0) })).toBe('nonce-mismatch')
  })

  it('refuses to be asked with a nonce below 16 bytes, even where the quote carries it', () => {
    const short = sampleNonce.subarray(0, 15)
    expect(verdict({ ...sampleQuote(key, { extraData: short }), expectedExtraData: short })).toBe('nonce-too-short')
    expect(verdict({ ...sampleQuote(key, { extraData: Buffer.alloc(0) }), expectedExtraData: Buffer.alloc(0) })).toBe(
      'nonce-too-short',
    )
  })

  it('refuses a signer of another hierarchy, where counters and firmware are obfuscated (checks 7 and 11)', () => {
    expect(tampered({ signer: endorsementSigner(softwareKey().publicArea) })).toBe('qualified-signer')
    expect(tampered({ signer: Buffer.alloc(0) })).toBe('qualified-signer')
  })
})

describe('the PCRs (checks 8 and 9)', () => {
  const quoteOf = (attested: Uint8Array): QuoteEvidence => sampleQuote(key, { attested })

  it.each([
    ['fewer', sha256Selection([0, 4])],
    ['more', sha256Selection([0, 4, 7, 8])],
    ['others', sha256Selection([0, 4, 8])],
    ['none', sha256Selection([])],
    ['no bank', u32(0)],
    ['the SHA-1 bank', Buffer.concat([u32(1), u16(algorithm.sha1), u8(3), Buffer.from([0x91, 0, 0])])],
    ['the SHA-384 bank', Buffer.concat([u32(1), u16(algorithm.sha384), u8(3), Buffer.from([0x91, 0, 0])])],
    [
      'another bank besides',
      Buffer.concat([u32(2), sha256Selection([0, 4, 7]).subarray(4), u16(algorithm.sha1), u8(3), Buffer.from([1, 0, 0])]),
    ],
  ])('refuses a selection of %s, whatever digest comes with it', (_, selection) => {
    expect(verdict(quoteOf(quoted(selection, digest)))).toBe('pcr-selection')
  })

  it('refuses an empty selection even where the policy is empty', () => {
    expect(verdict({ ...quoteOf(quoted(sha256Selection([]), digest)), pcrs: [] })).toBe('pcr-selection')
  })

  it('refuses another digest, a shorter and an empty one', () => {
    const selection = sha256Selection(samplePcrs)
    expect(verdict(quoteOf(quoted(selection, Buffer.alloc(32))))).toBe('pcr-digest')
    expect(verdict(quoteOf(quoted(selection, digest.subarray(0, 31))))).toBe('pcr-digest')
    expect(verdict({ ...quoteOf(quoted(selection, Buffer.alloc(0))), pcrDigest: digest })).toBe('pcr-digest')
  })

  it('takes PCR values only where they hash to the signed digest (attack 26)', () => {
    const good = sampleQuote(key)
    expect(verdict({ ...good, measuredBoot: sampleValues })).toBe('ok')
    expect(verdict({ ...good, measuredBoot: new Map([...sampleValues, [7, Buffer.alloc(32, 9)]]) })).toBe('pcr-values')
    expect(verdict({ ...good, measuredBoot: new Map([...sampleValues].slice(1)) })).toBe('pcr-values')
  })

  it('takes the PCR labels from the signed selection, not from the sender’s values', () => {
    const relabelled = new Map([
      [0, Buffer.alloc(32, 1)],
      [4, Buffer.alloc(32, 5)],
      [8, Buffer.alloc(32, 8)],
    ])
    expect(pcrDigestOf(relabelled)).toEqual(digest)
    expect(verdict({ ...sampleQuote(key), measuredBoot: relabelled })).toBe('pcr-values')
  })

  it.each([0, 4])('refuses PCR %i of a real machine when nothing was measured into it', (pcr) => {
    const values = new Map([...sampleValues, [pcr, Buffer.alloc(32)]])
    const pcrDigest = pcrDigestOf(values)
    const evidence = { ...quoteOf(quoted(sha256Selection(samplePcrs), pcrDigest)), pcrDigest, measuredBoot: values }
    expect(verdict(evidence)).toBe('pcr-not-measured')
  })

  it('wants the digest under the hash that the key signs with', () => {
    const key384 = softwareKey({ scheme: [algorithm.ecdsa, algorithm.sha384], hash: 'sha384' })
    const pcrDigest = pcrDigestOf(sampleValues, 'sha384')
    const evidence = { ...sampleQuote(key384, { attested: quoted(sha256Selection(samplePcrs), pcrDigest) }), pcrDigest }
    expect(verdict({ ...evidence, measuredBoot: sampleValues })).toBe('ok')
  })
})

describe('the counters (check 10)', () => {
  const previous = { clock: 60_000, resetCount: 3, restartCount: 1 }
  const after = (fields: Parameters<typeof sampleQuote>[1]) => verifyQuote({ ...sampleQuote(key, fields), previous })

  it.each([
    ['reset count', { resetCount: 2, clock: 70_000 }],
    ['restart count', { restartCount: 0, clock: 70_000 }],
    ['clock', { clock: 59_999 }],
    ['clock that is not safe, without a reset', { clock: 59_999, safe: 0 }],
    ['clock over an orderly reset', { clock: 59_999, resetCount: 4, restartCount: 0 }],
    ['reset count, though the clock says that it is not safe', { clock: 59_999, resetCount: 2, safe: 0 }],
  ])('refuses a %s that went back (attack 34)', (_, fields) => {
    expect(reasonOf(after(fields))).toBe('counter-rollback')
  })

  it('accepts the same counters, and a restart count that begins anew after a reset', () => {
    expect(after({})).toMatchObject({ ok: true, value: { isRestarted: false } })
    expect(after({ resetCount: 4, restartCount: 0, clock: 60_001 })).toMatchObject({ ok: true, value: { isRestarted: true } })
    expect(after({ restartCount: 2 })).toMatchObject({ ok: true, value: { isRestarted: true } })
  })

  it('accepts the clock behind after a power cut, and says that it is not safe', () => {
    const cut = after({ clock: 10, resetCount: 4, restartCount: 0, safe: 0 })
    expect(cut).toMatchObject({ ok: true, value: { isRestarted: true, safe: false } })
  })

  it('says where the clock is not safe to be compared', () => {
    expect(after({ safe: 0 })).toMatchObject({ ok: true, value: { safe: false } })
  })
})

describe('any change of a good quote', () => {
  const good = sampleQuote(key)
  const parts = ['attest', 'signature', 'attestationKey', 'expectedExtraData', 'pcrDigest'] as const
  const change = fc.tuple(
    fc.constantFrom(...parts),
    fc.nat(),
    fc.integer({ min: 1, max: 255 }),
    fc.constantFrom('xor', 'cut', 'insert', 'append'),
  )

  function mutated(bytes: Uint8Array, at: number, byte: number, how: string): Buffer {
    const copy = Buffer.from(bytes)
    const index = at % copy.length
    if (how === 'cut') return copy.subarray(0, index)
    if (how === 'append') return Buffer.concat([copy, Buffer.from([byte])])
    if (how === 'insert') return Buffer.concat([copy.subarray(0, index), Buffer.from([byte]), copy.subarray(index)])
    copy.writeUInt8(copy.readUInt8(index) ^ byte, index)
    return copy
  }

  it('is refused with a reason, and never throws', () => {
    fc.assert(
      fc.property(change, ([part, at, byte, how]) => {
        const bytes = mutated(good[part], at, byte, how)
        expect(verdict({ ...good, [part]: bytes })).not.toBe('ok')
      }),
      { numRuns: 3000 },
    )
  })

  it('makes noise of any length refused too', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.constantFrom(...parts), (noise, part) => {
        expect(verdict({ ...good, [part]: noise })).not.toBe('ok')
      }),
      { numRuns: 1000 },
    )
  })

  it('is refused when it lies inside the attest and is signed anew by another key', () => {
    fc.assert(
      fc.property(fc.nat(), fc.integer({ min: 1, max: 255 }), (at, byte) => {
        const attest = mutated(good.attest, at, byte, 'xor')
        expect(verdict({ ...good, attest, signature: softwareKey().sign(attest) })).toBe('signature-invalid')
      }),
      { numRuns: 50 },
    )
  })
})

it('builds the sample as a TPM does', () => {
  expect(
    attestBytes({ signer: Buffer.alloc(34), extraData: sampleNonce, attested: quoted(sha256Selection([0]), digest) }),
  ).toHaveLength(145)
})

const windows = tpmVector('go-attestation', 'windows_gcp_shielded_vm.json')
describe.skipIf(!windows)('a quote of a Windows machine', () => {
  it('is refused: its key signs with SHA-1', () => {
    type Vector = {
      readonly AK: { readonly Public: string }
      readonly Quote: { readonly Quote: string; readonly Signature: string }
    }
    const { AK, Quote } = JSON.parse(String(windows)) as Vector
    const bytes = (text: string) => Buffer.from(text, 'base64')
    const evidence = { attest: bytes(Quote.Quote), signature: bytes(Quote.Signature), attestationKey: bytes(AK.Public) }
    const wanted = { expectedExtraData: sampleNonce, pcrs: samplePcrs, pcrDigest: digest }
    expect(verifyQuote({ ...evidence, ...wanted })).toMatchObject({ reason: 'attestation-key-scheme' })
  })
})
