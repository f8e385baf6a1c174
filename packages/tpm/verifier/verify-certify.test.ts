import { createPublicKey, generateKeyPairSync } from 'node:crypto'
import type { Result } from '@interlock/contracts'
import { describe, expect, it } from 'vitest'
import { attestType } from '../structures/attest.ts'
import { sized } from '../structures/bytes.ts'
import { objectAttribute } from '../structures/object-attributes.ts'
import { nameOf, parsePublicArea } from '../structures/public-area.ts'
import {
  type AttestFields,
  attestBytes,
  endorsementSigner,
  p256Area,
  type SoftwareKey,
  sampleNonce,
  sampleQuote,
  softwareKey,
} from './test-attestation.ts'
import { type CertifyEvidence, verifyCertify } from './verify-certify.ts'

const reasonOf = (result: Result<unknown, string>): string => (result.ok ? 'ok' : result.reason)
const instanceAttributes = 0x0004_0472
const attestationKey = softwareKey()

function nameOfBytes(publicArea: Uint8Array): Buffer {
  const area = parsePublicArea(publicArea)
  if (!area.ok) throw new Error(area.reason)
  return nameOf(area.value)
}

function certification(certified: SoftwareKey, fields: Partial<AttestFields> = {}): CertifyEvidence {
  const name = nameOfBytes(certified.publicArea)
  const attest = attestBytes({
    type: attestType.certify,
    signer: endorsementSigner(attestationKey.publicArea),
    extraData: sampleNonce,
    attested: Buffer.concat([sized(name), sized(name)]),
    ...fields,
  })
  return {
    attest,
    signature: attestationKey.sign(attest),
    attestationKey: attestationKey.publicArea,
    expectedExtraData: sampleNonce,
    certifiedKey: certified.publicArea,
    requestKey: createPublicKey(certified.privateKey),
  }
}

const instance = softwareKey({ attributes: instanceAttributes })

describe('a certification (check 14)', () => {
  it('gives the certified key and its name', () => {
    const verified = verifyCertify(certification(instance))
    expect(verified.ok && verified.value.name).toEqual(nameOfBytes(instance.publicArea))
    expect(verified.ok && verified.value.publicKey.equals(createPublicKey(instance.privateKey))).toBe(true)
  })

  it('refuses another object than the certified one', () => {
    const other = softwareKey({ attributes: instanceAttributes })
    const evidence = { ...certification(instance), certifiedKey: other.publicArea, requestKey: createPublicKey(other.privateKey) }
    expect(reasonOf(verifyCertify(evidence))).toBe('certified-name')
  })

  it('refuses the certified key with other attributes: the name covers them', () => {
    const loose = p256Area(createPublicKey(instance.privateKey), { attributes: instanceAttributes & ~objectAttribute.noDA })
    expect(reasonOf(verifyCertify({ ...certification(instance), certifiedKey: loose }))).toBe('certified-name')
  })

  it('refuses a certificate request for another key', () => {
    const requestKey = generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
    expect(reasonOf(verifyCertify({ ...certification(instance), requestKey }))).toBe('certified-key')
  })

  it.each(['fixedTPM', 'fixedParent', 'sensitiveDataOrigin', 'sign'] as const)('refuses a key without %s', (attribute) => {
    const loose = softwareKey({ attributes: instanceAttributes & ~objectAttribute[attribute] })
    expect(reasonOf(verifyCertify(certification(loose)))).toBe('certified-attributes')
  })

  it.each([
    'decrypt',
    'restricted',
    'x509sign',
    'stClear',
    'encryptedDuplication',
  ] as const)('refuses a key with %s', (attribute) => {
    const loose = softwareKey({ attributes: instanceAttributes | objectAttribute[attribute] })
    expect(reasonOf(verifyCertify(certification(loose)))).toBe('certified-attributes')
  })

  it('refuses another nonce, an attest without the magic, and a quote', () => {
    expect(reasonOf(verifyCertify(certification(instance, { extraData: Buffer.alloc(32) })))).toBe('nonce-mismatch')
    expect(reasonOf(verifyCertify(certification(instance, { magic: 0 })))).toBe('not-tpm-generated')
    const { attest, signature } = sampleQuote(attestationKey)
    expect(reasonOf(verifyCertify({ ...certification(instance), attest, signature }))).toBe('attest-type')
  })

  it('refuses a certified key that is no public area', () => {
    expect(reasonOf(verifyCertify({ ...certification(instance), certifiedKey: Buffer.alloc(3) }))).toBe('public-area-malformed')
  })
})
