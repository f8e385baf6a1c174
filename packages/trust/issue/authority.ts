import { createPublicKey, type KeyObject } from 'node:crypto'
import { generateKey } from './generate-key.ts'
import {
  authorityKeyIdentifier,
  type Issuer,
  type KeyedIssuer,
  keyedIssuer,
  serialNumber,
  signingBy,
  spkiOf,
  validity,
} from './issuer.ts'
import { x509 } from './x509.ts'

const mayIssue = new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true)

/** A root that signs one intermediate and nothing else. */
export async function createRoot(trustDomain: string, now: number): Promise<KeyedIssuer> {
  const privateKey = generateKey()
  const spki = spkiOf(createPublicKey(privateKey))
  const name = `CN=Interlock root,O=${trustDomain}`
  const { parameters, crypto } = signingBy(keyedIssuer(undefined as never, privateKey))
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: name,
      issuer: name,
      ...validity(now, 3650),
      publicKey: spki,
      ...parameters,
      extensions: [
        new x509.BasicConstraintsExtension(true, 1, true),
        mayIssue,
        await x509.SubjectKeyIdentifierExtension.create(spki),
      ],
    },
    crypto,
  )
  return keyedIssuer(certificate, privateKey)
}

/** The intermediate that signs leaves, with a fresh key. */
export async function createIntermediate(root: Issuer, trustDomain: string, now: number): Promise<KeyedIssuer> {
  const privateKey = generateKey()
  return keyedIssuer(await certifyIntermediate(root, trustDomain, createPublicKey(privateKey), now), privateKey)
}

/** The certificate of an intermediate whose key is kept elsewhere. It cannot make further authorities (path length 0). */
export async function certifyIntermediate(
  root: Issuer,
  trustDomain: string,
  publicKey: KeyObject,
  now: number,
): Promise<x509.X509Certificate> {
  const spki = spkiOf(publicKey)
  const { parameters, crypto } = signingBy(root)
  return x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: `CN=Interlock issuing authority,O=${trustDomain}`,
      issuer: root.certificate.subject,
      ...validity(now, 1825),
      publicKey: spki,
      ...parameters,
      extensions: [
        new x509.BasicConstraintsExtension(true, 0, true),
        mayIssue,
        // SPIFFE X.509-SVID §4: a signing certificate may carry the trust domain's id, without a path.
        new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomain}` }]),
        await x509.SubjectKeyIdentifierExtension.create(spki),
        await authorityKeyIdentifier(root),
      ],
    },
    crypto,
  )
}
