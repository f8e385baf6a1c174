import 'reflect-metadata'
import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  webcrypto,
} from 'node:crypto'
import { readFileSync } from 'node:fs'
import * as x509 from '@peculiar/x509'
import { assertPrivate } from './signing-key.ts'

x509.cryptoProvider.set(webcrypto as unknown as Parameters<typeof x509.cryptoProvider.set>[0])

/** A key and its certificate chain, leaf first, without the root. */
export type Identity = { name: string; spiffeId: string; privateKey: KeyObject; chain: Buffer[] }
export type Issuer = { certificate: x509.X509Certificate; privateKey: KeyObject; keys: webcrypto.CryptoKeyPair }

const ES256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
const DEFINITION_HASH = '1.3.6.1.4.1.58888.1.1'
const ASSURANCE = '1.3.6.1.4.1.58888.1.2'
const DAY_MS = 86_400_000

/** A root that signs one intermediate and nothing else. */
export async function createRoot(trustDomain: string, now: number): Promise<Issuer> {
  const privateKey = generateKey()
  const keys = await cryptoKeys(privateKey)
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=Interlock root,O=${trustDomain}`,
    ...validity(now, 3650),
    keys,
    signingAlgorithm: ES256,
    extensions: [
      new x509.BasicConstraintsExtension(true, 1, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  })
  return { certificate, privateKey, keys }
}

/** An authority from its files, PEM. Others than the owner must not be able to read the key. @throws SigningKeyError */
export async function loadIssuer(keyFile: string, certificateFile: string): Promise<Issuer> {
  assertPrivate(keyFile)
  const privateKey = createPrivateKey(readFileSync(keyFile))
  const certificate = new x509.X509Certificate(readFileSync(certificateFile, 'utf8'))
  return { certificate, privateKey, keys: await cryptoKeys(privateKey) }
}

/** The intermediate that signs leaves; it cannot make further authorities (path length 0). */
export async function createIntermediate(root: Issuer, trustDomain: string, now: number): Promise<Issuer> {
  const privateKey = generateKey()
  const keys = await cryptoKeys(privateKey)
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=Interlock issuing authority,O=${trustDomain}`,
    issuer: root.certificate.subject,
    ...validity(now, 1825),
    publicKey: keys.publicKey,
    signingKey: root.keys.privateKey,
    signingAlgorithm: ES256,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      // SPIFFE X.509-SVID §4: a signing certificate may carry the trust domain's id, without a path.
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomain}` }]),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      await x509.AuthorityKeyIdentifierExtension.create(root.keys.publicKey),
    ],
  })
  return { certificate, privateKey, keys }
}

export type LeafProfile = {
  name: string
  spiffeId: string
  /** Only agents have one: base64url SHA-256 of their definition. */
  definitionHash?: string
  assurance?: string
  validityDays?: number
}

/** An X.509-SVID with a fresh key. */
export async function issueIdentity(issuer: Issuer, profile: LeafProfile, now: number): Promise<Identity> {
  const privateKey = generateKey()
  const chain = await issueCertificate(issuer, profile, createPublicKey(privateKey), now)
  return { name: profile.name, spiffeId: profile.spiffeId, privateKey, chain }
}

/** An X.509-SVID for a key held elsewhere, such as in a TPM. */
export async function issueCertificate(
  issuer: Issuer,
  profile: LeafProfile,
  publicKey: KeyObject,
  now: number,
): Promise<Buffer[]> {
  const spki = publicKey.export({ type: 'spki', format: 'der' })
  const extensions: x509.Extension[] = [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.SubjectAlternativeNameExtension([{ type: 'url', value: profile.spiffeId }], false),
    await x509.AuthorityKeyIdentifierExtension.create(issuer.keys.publicKey),
  ]
  if (profile.definitionHash) {
    extensions.push(new x509.Extension(DEFINITION_HASH, false, octetString(Buffer.from(profile.definitionHash, 'base64url'))))
  }
  if (profile.assurance) extensions.push(new x509.Extension(ASSURANCE, false, utf8String(profile.assurance)))
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=${profile.name}`,
    issuer: issuer.certificate.subject,
    ...validity(now, profile.validityDays ?? 365),
    publicKey: await webcrypto.subtle.importKey('spki', spki, ES256, true, ['verify']),
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: ES256,
    extensions,
  })
  return [Buffer.from(certificate.rawData), Buffer.from(issuer.certificate.rawData)]
}

/** Base64url SHA-256 of the leaf: the `x5t#S256` by which statements name their signer. */
export const thumbprintOf = (chain: readonly Buffer[]): string =>
  createHash('sha256')
    .update(chain[0] as Buffer)
    .digest('base64url')

const generateKey = () => generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey

async function cryptoKeys(privateKey: KeyObject): Promise<webcrypto.CryptoKeyPair> {
  const pkcs8 = privateKey.export({ type: 'pkcs8', format: 'der' })
  const spki = createPublicKey(privateKey).export({ type: 'spki', format: 'der' })
  return {
    privateKey: await webcrypto.subtle.importKey('pkcs8', pkcs8, ES256, true, ['sign']),
    publicKey: await webcrypto.subtle.importKey('spki', spki, ES256, true, ['verify']),
  }
}

/** Starts a little before now: clocks of one laboratory differ by seconds. X.509 times have whole seconds. */
function validity(now: number, days: number): { notBefore: Date; notAfter: Date } {
  const second = Math.floor(now / 1000) * 1000
  return { notBefore: new Date(second - 60_000), notAfter: new Date(second + days * DAY_MS) }
}

/** RFC 5280 §4.1.2.2: positive, at most 20 octets, unpredictable. */
function serialNumber(): string {
  const bytes = randomBytes(16)
  bytes[0] = ((bytes[0] as number) & 0x7f) | 0x40
  return bytes.toString('hex')
}

const octetString = (value: Buffer) => Buffer.concat([Buffer.of(0x04, value.length), value])
const utf8String = (value: string) => Buffer.concat([Buffer.of(0x0c, Buffer.byteLength(value)), Buffer.from(value)])
