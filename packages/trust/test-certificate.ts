import { createPublicKey, generateKeyPairSync, type KeyObject, sign } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { Certificate, type TBSCertificate } from '@peculiar/asn1-x509'
import type { KeyedIssuer } from './issue/index.ts'
import { keyedIssuer } from './issue/index.ts'
import { authorityKeyIdentifier, serialNumber, signingBy, spkiOf, validity } from './issue/issuer.ts'
import { x509 } from './issue/x509.ts'

/** Certificates that no honest authority would sign, for tests: real keys, real signatures. */
export type Wrong = {
  readonly subject?: string
  readonly isCa?: boolean
  readonly pathLength?: number
  /** No key usage extension where left out. */
  readonly usages?: number
  readonly uris?: readonly string[]
  readonly more?: readonly x509.Extension[]
}

/** A certificate with a fresh key, by an authority, saying what it is told to. */
export async function certify(by: KeyedIssuer, wrong: Wrong, now: number): Promise<KeyedIssuer> {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const spki = spkiOf(createPublicKey(privateKey))
  const { parameters, crypto } = signingBy(by)
  const { subject = 'CN=an agent', isCa = false, pathLength, usages, uris = [], more = [] } = wrong
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject,
      issuer: by.certificate.subject,
      ...validity(now, 30),
      publicKey: spki,
      ...parameters,
      extensions: [
        new x509.BasicConstraintsExtension(isCa, pathLength, true),
        ...(usages === undefined ? [] : [new x509.KeyUsagesExtension(usages, true)]),
        ...(uris.length === 0 ? [] : [new x509.SubjectAlternativeNameExtension(uris.map((value) => ({ type: 'url', value })))]),
        await x509.SubjectKeyIdentifierExtension.create(spki),
        await authorityKeyIdentifier(by),
        ...more,
      ],
    },
    crypto,
  )
  return keyedIssuer(certificate, privateKey)
}

export const derOf = ({ certificate }: Pick<KeyedIssuer, 'certificate'>): Buffer => Buffer.from(certificate.rawData)

/** The same certificate with something else in what is signed, signed anew by its authority's key. */
export function resigned(der: Buffer, by: KeyObject, edit: (tbs: TBSCertificate) => void): Buffer {
  const certificate = AsnConvert.parse(der, Certificate)
  edit(certificate.tbsCertificate)
  // What was read as it lay there would be written as it lay there.
  delete (certificate as { tbsCertificateRaw?: ArrayBuffer }).tbsCertificateRaw
  const tbs = Buffer.from(AsnConvert.serialize(certificate.tbsCertificate))
  certificate.signatureValue = new Uint8Array(sign('sha256', tbs, by)).buffer
  return Buffer.from(AsnConvert.serialize(certificate))
}
