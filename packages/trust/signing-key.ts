import { createHash, createPrivateKey, type KeyObject, sign, verify, X509Certificate } from 'node:crypto'
import { readFileSync, statSync } from 'node:fs'
import type { SpiffeId } from '@interlock/contracts'
import { parseSpiffeId } from './spiffe-id.ts'

/** ES256 (P-256, SHA-256) or EdDSA (Ed25519): what statements, proofs and tokens may be signed with. */
export type SignatureAlgorithm = 'ES256' | 'EdDSA'

/** A key that signs in the name of one SPIFFE ID; it may live in a TPM. */
export interface SigningKey {
  /** x5t#S256 (RFC 7515 §4.1.8) of the leaf certificate. */
  readonly keyId: string
  readonly spiffeId: SpiffeId
  readonly algorithm: SignatureAlgorithm
  /** DER certificates, leaf first, without the root. */
  readonly chain: readonly Buffer[]
  /** ES256 signatures are r ‖ s, 64 bytes (RFC 7518 §3.4). */
  sign(bytes: Uint8Array): Promise<Buffer>
}

/** Set-up that cannot be trusted: the process must not start with it. */
export class SigningKeyError extends Error {
  readonly code = 'signing-key-unusable'
  readonly retriable = false
}

/** base64url SHA-256 of a key's SubjectPublicKeyInfo: names a key whatever certificate it is in. */
export const keyDigest = (key: KeyObject): string =>
  createHash('sha256')
    .update(key.export({ type: 'spki', format: 'der' }))
    .digest('base64url')

export const thumbprint = (der: Uint8Array): string => createHash('sha256').update(der).digest('base64url')

const algorithms = new WeakMap<KeyObject, SignatureAlgorithm>()

/** The algorithm a public key is used with; undefined for a key that is not on the list. */
export function algorithmOf(key: KeyObject): SignatureAlgorithm | undefined {
  // Asking OpenSSL for the curve costs as much as a tenth of a verification.
  const algorithm = algorithms.get(key) ?? readAlgorithm(key)
  if (algorithm) algorithms.set(key, algorithm)
  return algorithm
}

function readAlgorithm(key: KeyObject): SignatureAlgorithm | undefined {
  if (key.asymmetricKeyType === 'ed25519') return 'EdDSA'
  return key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1' ? 'ES256' : undefined
}

/** True where `signature` is the key's over `bytes`. The key says which algorithm, never the message. */
export function verifySignature(key: KeyObject, bytes: Uint8Array, signature: Uint8Array): boolean {
  const algorithm = algorithmOf(key)
  if (!algorithm || signature.length !== 64) return false
  return algorithm === 'EdDSA'
    ? verify(null, bytes, key, signature)
    : verify('sha256', bytes, { key, dsaEncoding: 'ieee-p1363' }, signature)
}

/** A signing key from a private key and its chain. @throws SigningKeyError where they do not belong together. */
export function signingKey(privateKey: KeyObject, chain: readonly Buffer[]): SigningKey {
  const leaf = chain[0]
  if (!leaf) throw new SigningKeyError('the certificate chain is empty')
  const certificate = new X509Certificate(leaf)
  if (!certificate.checkPrivateKey(privateKey))
    throw new SigningKeyError('the private key does not belong to the first certificate of the chain')
  const algorithm = algorithmOf(certificate.publicKey)
  if (!algorithm) throw new SigningKeyError('the key is neither P-256 nor Ed25519')
  const spiffeId = parseSpiffeId(/^URI:(\S+)$/.exec(certificate.subjectAltName ?? '')?.[1] ?? '')
  if (!spiffeId.ok) throw new SigningKeyError('the first certificate has no SPIFFE ID as its only subject alternative name')
  return {
    keyId: thumbprint(leaf),
    spiffeId: spiffeId.value.id,
    algorithm,
    chain,
    sign: async (bytes) =>
      algorithm === 'EdDSA'
        ? sign(null, bytes, privateKey)
        : sign('sha256', bytes, { key: privateKey, dsaEncoding: 'ieee-p1363' }),
  }
}

/** Reads a key and its chain from PEM files. @throws SigningKeyError where others than the owner may read the key (ATTACKS 156). */
export function loadSigningKey(keyFile: string, chainFile: string): SigningKey {
  assertPrivate(keyFile)
  return signingKey(createPrivateKey(readFileSync(keyFile)), pemCertificates(readFileSync(chainFile, 'utf8')))
}

/** The certificates of a PEM text, DER, in its order. */
export function pemCertificates(pem: string): Buffer[] {
  const blocks = pem.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  return blocks.map((text) => Buffer.from(new X509Certificate(text).raw))
}

/** @throws SigningKeyError where others than the owner may read the file (ATTACKS 156) */
export function assertPrivate(keyFile: string): void {
  const mode = statSync(keyFile).mode & 0o077
  if (mode !== 0) throw new SigningKeyError(`${keyFile} may be read by others than its owner: run chmod 600 on it`)
}
