import { createHash, createPublicKey, type KeyObject } from 'node:crypto'
import { isIP } from 'node:net'
import { generateKey } from './generate-key.ts'
import { authorityKeyIdentifier, type Issuer, serialNumber, signingBy, spkiOf, validity } from './issuer.ts'
import { x509 } from './x509.ts'

/** A key and its certificate chain, leaf first, without the root. */
export type Identity = { name: string; spiffeId: string; privateKey: KeyObject; chain: Buffer[] }

export type LeafProfile = {
  name: string
  spiffeId: string
  /** Only agents have one: base64url SHA-256 of their definition. */
  definitionHash?: string
  assurance?: string
  validityDays?: number
  /** Of a server: DNS names and IP addresses at which clients find it. */
  hosts?: readonly string[]
}

const DEFINITION_HASH = '1.3.6.1.4.1.58888.1.1'
const ASSURANCE = '1.3.6.1.4.1.58888.1.2'

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
  const { parameters, crypto } = signingBy(issuer)
  const certificate = await x509.X509CertificateGenerator.create(
    {
      serialNumber: serialNumber(),
      subject: `CN=${profile.name}`,
      issuer: issuer.certificate.subject,
      ...validity(now, profile.validityDays ?? 365),
      publicKey: spkiOf(publicKey),
      ...parameters,
      extensions: await extensionsOf(profile, issuer),
    },
    crypto,
  )
  return [Buffer.from(certificate.rawData), Buffer.from(issuer.certificate.rawData)]
}

async function extensionsOf(
  { spiffeId, definitionHash, assurance, hosts = [] }: LeafProfile,
  issuer: Issuer,
): Promise<x509.Extension[]> {
  return [
    new x509.BasicConstraintsExtension(false, undefined, true),
    new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
    new x509.SubjectAlternativeNameExtension([{ type: 'url', value: spiffeId }, ...hosts.map(hostName)], false),
    await authorityKeyIdentifier(issuer),
    ...(definitionHash
      ? [new x509.Extension(DEFINITION_HASH, false, octetString(Buffer.from(definitionHash, 'base64url')))]
      : []),
    ...(assurance ? [new x509.Extension(ASSURANCE, false, utf8String(assurance))] : []),
  ]
}

/** Base64url SHA-256 of the leaf: the `x5t#S256` by which statements name their signer. */
export const thumbprintOf = (chain: readonly Buffer[]): string =>
  createHash('sha256')
    .update(chain[0] as Buffer)
    .digest('base64url')

const hostName = (value: string) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value })
const octetString = (value: Buffer) => Buffer.concat([Buffer.of(0x04, value.length), value])
const utf8String = (value: string) => Buffer.concat([Buffer.of(0x0c, Buffer.byteLength(value)), Buffer.from(value)])
