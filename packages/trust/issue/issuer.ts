import { createPrivateKey, createPublicKey, type KeyObject, randomBytes, sign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { assertPrivate } from '../signing-key.ts'
import { x509 } from './x509.ts'

/** An authority, wherever its key is kept. */
export type Issuer = {
  readonly certificate: x509.X509Certificate
  readonly publicKey: KeyObject
  /** ES256: r ‖ s, 64 bytes, over the SHA-256 of `bytes`. */
  sign(bytes: Uint8Array): Promise<Buffer>
}
/** One whose key is in this process. */
export type KeyedIssuer = Issuer & { readonly privateKey: KeyObject }

export function keyedIssuer(certificate: x509.X509Certificate, privateKey: KeyObject): KeyedIssuer {
  return {
    certificate,
    privateKey,
    publicKey: createPublicKey(privateKey),
    sign: async (bytes) => sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  }
}

/** An authority from its files, PEM. Others than the owner must not be able to read the key. @throws SigningKeyError */
export function loadIssuer(keyFile: string, certificateFile: string): KeyedIssuer {
  assertPrivate(keyFile)
  return keyedIssuer(readCertificateFile(certificateFile), createPrivateKey(readFileSync(keyFile)))
}

/** The first certificate of a PEM file. */
export const readCertificateFile = (file: string): x509.X509Certificate => new x509.X509Certificate(readFileSync(file, 'utf8'))

/** RFC 5280 §4.2.1.2, hex: names the key of an authority. @throws Error where its certificate has none */
export function subjectKeyIdentifierOf(certificate: x509.X509Certificate): string {
  const own = certificate.getExtension(x509.SubjectKeyIdentifierExtension)
  if (own) return own.keyId
  throw new Error(`the certificate of ${certificate.subject} has no subject key identifier`)
}

/** The key that an authority's certificate is for. */
export const certifiedKeyOf = ({ certificate }: Pick<Issuer, 'certificate'>): KeyObject =>
  createPublicKey({ key: Buffer.from(certificate.publicKey.rawData), format: 'der', type: 'spki' })

export const spkiOf = (key: KeyObject): Buffer => key.export({ type: 'spki', format: 'der' })

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const

/** How the library is to sign: it asks for a WebCrypto key, and an authority's may be in a module that gives none out. */
export function signingBy({ sign: signBytes }: Pick<Issuer, 'sign'>) {
  const subtle = {
    sign: async (_algorithm: unknown, _key: unknown, bytes: ArrayBuffer) =>
      new Uint8Array(await signBytes(new Uint8Array(bytes))).buffer,
  }
  return {
    parameters: {
      signingKey: { algorithm } as unknown as x509.X509CertificateCreateWithKeyParams['signingKey'],
      signingAlgorithm: algorithm,
    },
    crypto: { subtle } as unknown as Parameters<typeof x509.X509CertificateGenerator.create>[1],
  }
}

/** Names the issuer's key as its own certificate does (RFC 5280 §4.2.1.1). */
export async function authorityKeyIdentifier({ certificate, publicKey }: Issuer): Promise<x509.Extension> {
  const own = certificate.getExtension(x509.SubjectKeyIdentifierExtension)
  return own
    ? new x509.AuthorityKeyIdentifierExtension(own.keyId)
    : x509.AuthorityKeyIdentifierExtension.create(spkiOf(publicKey))
}

/** Starts a little before now: clocks of one laboratory differ by seconds. X.509 times have whole seconds. */
export function validity(now: number, days: number): { notBefore: Date; notAfter: Date } {
  const second = Math.floor(now / 1000) * 1000
  return { notBefore: new Date(second - 60_000), notAfter: new Date(second + days * DAY_MS) }
}
const DAY_MS = 86_400_000

/** RFC 5280 §4.1.2.2: positive, at most 20 octets, unpredictable. */
export function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40
  return bytes.toString('hex')
}
