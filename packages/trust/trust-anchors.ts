import { type KeyObject, X509Certificate } from 'node:crypto'
import { type SpiffeId, type TrustBundle, trustBundleSchema } from '@interlock/contracts'
import { type Certificate, readCertificate } from './certificate.ts'
import { type RevocationList, readRevocationList } from './revocation-list.ts'
import { algorithmOf, type SignatureAlgorithm, thumbprint } from './signing-key.ts'
import { parseSpiffeId, type Role, roleOf } from './spiffe-id.ts'

/** Somebody whose statements count, by the trust bundle. */
export type Signer = {
  readonly keyId: string
  readonly spiffeId: SpiffeId
  readonly role: Role
  readonly publicKey: KeyObject
  readonly algorithm: SignatureAlgorithm
  readonly notBeforeMs: number
  readonly notAfterMs: number
}

/** All that is trusted, opened once and passed as an argument. */
export type TrustAnchors = {
  readonly trustDomain: string
  readonly audience: string
  readonly webauthn: TrustBundle['webauthn']
  readonly revocationLists: readonly RevocationList[]
  /** Root certificates of a trust domain; none for one that is not trusted. */
  roots(trustDomain: string): readonly Certificate[]
  signer(keyId: string): Signer | undefined
  readonly signers: readonly Signer[]
}

/** A bundle that cannot be trusted: the process must not start with it (ATTACKS 156). */
export class TrustBundleError extends Error {
  readonly code = 'trust-bundle-unusable'
  readonly retriable = false
}

const decode = (text: string) => Buffer.from(text, 'base64url')

/** Opens a trust bundle. @throws TrustBundleError naming what is wrong in it. */
export function openTrustBundle(bundle: TrustBundle): TrustAnchors {
  const parsed = trustBundleSchema.safeParse(bundle)
  if (!parsed.success)
    throw new TrustBundleError(`trust bundle: ${parsed.error.issues[0]?.path.join('.')}: ${parsed.error.issues[0]?.message}`)
  const { trustDomain, audience, webauthn } = parsed.data
  const roots = new Map(
    Object.entries(parsed.data.roots).map(([domain, certificates]) => [
      domain,
      certificates.map((text) => readRoot(decode(text), domain)),
    ]),
  )
  const own = roots.get(trustDomain)
  if (!own) throw new TrustBundleError(`trust bundle: no roots for its own trust domain ${trustDomain}`)
  const ownRoots = own.map(({ x509 }) => x509)
  const signers = new Map(
    parsed.data.signers.map((chain) => {
      const signer = readSigner(chain.map(decode), ownRoots, trustDomain)
      return [signer.keyId, signer] as const
    }),
  )
  return {
    trustDomain,
    audience,
    webauthn,
    revocationLists: parsed.data.crls.map((text) => readList(decode(text))),
    roots: (domain) => roots.get(domain) ?? [],
    signer: (keyId) => signers.get(keyId),
    signers: [...signers.values()],
  }
}

function readRoot(der: Buffer, domain: string): Certificate {
  const read = readCertificate(der)
  if (!read.ok)
    throw new TrustBundleError(`trust bundle: a root of ${domain} cannot be read: ${read.reason} ${JSON.stringify(read.detail)}`)
  return read.value
}

function readList(der: Buffer): RevocationList {
  const list = readRevocationList(der)
  if (!list)
    throw new TrustBundleError('trust bundle: a CRL cannot be used: only full, direct CRLs with a number and nextUpdate are')
  return list
}

/** A signer's chain must lead to a root of the bundle's own trust domain: a typo in the file must not make a stranger an enforcer. */
function readSigner(chain: readonly Buffer[], roots: readonly X509Certificate[], trustDomain: string): Signer {
  const certificates = chain.map((der) => new X509Certificate(der))
  const leaf = certificates[0] as X509Certificate
  const parsed = parseSpiffeId(/^URI:(\S+)$/.exec(leaf.subjectAltName ?? '')?.[1] ?? '')
  if (!parsed.ok || parsed.value.trustDomain !== trustDomain)
    throw new TrustBundleError(`trust bundle: a signer has no SPIFFE ID in ${trustDomain}`)
  const role = roleOf(parsed.value)
  const spiffeId = parsed.value.id
  if (!role || role.kind === 'agent' || role.kind === 'device')
    throw new TrustBundleError(`trust bundle: ${spiffeId} cannot be a signer`)
  const algorithm = algorithmOf(leaf.publicKey)
  if (leaf.ca || !algorithm)
    throw new TrustBundleError(`trust bundle: the certificate of ${spiffeId} is a CA or its key is not on the list`)
  for (const [at, certificate] of certificates.entries()) {
    const issuers = at + 1 < certificates.length ? [certificates[at + 1] as X509Certificate] : roots
    if (!issuers.some((issuer) => issuer.ca && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey)))
      throw new TrustBundleError(`trust bundle: the chain of ${spiffeId} does not lead to a root of ${trustDomain}`)
  }
  return {
    keyId: thumbprint(leaf.raw),
    spiffeId,
    role,
    publicKey: leaf.publicKey,
    algorithm,
    notBeforeMs: leaf.validFromDate.getTime(),
    notAfterMs: leaf.validToDate.getTime(),
  }
}
