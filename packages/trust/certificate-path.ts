import { accepted, type Result, refused } from '@interlock/contracts'
import {
  id_ce_authorityKeyIdentifier,
  id_ce_basicConstraints,
  id_ce_extKeyUsage,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_ce_subjectKeyIdentifier,
} from '@peculiar/asn1-x509'
import { type Certificate, type CertificateReadReason, KeyUsageFlags, mayDo, readCertificate } from './certificate.ts'
import { type RevocationList, revocationStatus } from './revocation-list.ts'
import { digestOfAlgorithm, isAllowedKey } from './signature-algorithms.ts'

export type CertificatePathReason =
  | CertificateReadReason
  | 'path-empty'
  | 'path-too-long'
  | 'path-untrusted'
  | 'path-bad-signature'
  | 'certificate-not-yet-valid'
  | 'certificate-expired'
  | 'certificate-algorithm'
  | 'certificate-extension'
  | 'leaf-is-ca'
  | 'issuer-not-ca'
  | 'issuer-key-usage'
  | 'path-length-exceeded'
  | 'certificate-revoked'
  | 'revocation-unknown'

export type PathToValidate = {
  /** DER, leaf first, each issued by the next; the last by one of the roots. The sender's word. */
  readonly chain: readonly Buffer[]
  readonly roots: readonly Certificate[]
  readonly revocationLists: readonly RevocationList[]
  /** Whether every certificate needs a fresh CRL by its issuer. */
  readonly requireRevocationStatus: boolean
  readonly now: number
  readonly skewMs: number
}

const chainLengthMax = 5

// RFC 5280 §4.2: a critical extension that is not handled here refuses the certificate. Name constraints and policies are not handled on
// purpose: an SVID needs none (SPIFFE X.509-SVID §4.3), and a constraint that is not applied must not be passed over even when not critical.
const handled = new Set([id_ce_basicConstraints, id_ce_keyUsage, id_ce_subjectAltName, id_ce_extKeyUsage])
const neverPassedOver = ['2.5.29.30', '2.5.29.33', '2.5.29.36', '2.5.29.54']

/** RFC 5280 §6 for a chain that is given in order, narrow and fail-closed: what it does not know it refuses. Returns the certificates, leaf first, root last. */
export function validatePath(path: PathToValidate): Result<readonly Certificate[], CertificatePathReason> {
  if (path.chain.length === 0) return refused('path-empty')
  if (path.chain.length > chainLengthMax)
    return refused('path-too-long', { certificates: path.chain.length, max: chainLengthMax })
  const chain: Certificate[] = []
  for (const [at, der] of path.chain.entries()) {
    const read = readCertificate(der)
    if (!read.ok) return refused(read.reason, { ...read.detail, at })
    chain.push(read.value)
  }
  const last = chain.at(-1) as Certificate
  // By signature, never by name alone: a stranger may call itself as our root is called (ATTACKS 1).
  const root = path.roots.find((candidate) => candidate.subject.equals(last.issuer) && isIssuedBy(last, candidate))
  if (!root) return refused('path-untrusted')
  const issuers = [...chain.slice(1), root]
  for (const [at, certificate] of chain.entries()) {
    const wrong = wrongOf(certificate, issuers[at] as Certificate, at, chain, path)
    if (wrong) return refused(wrong, { at })
  }
  const leaf = chain[0] as Certificate
  // An SVID never signs certificates or CRLs (SPIFFE X.509-SVID §4.1, §4.3; ATTACKS 6).
  if (leaf.isCa || mayDo(leaf, KeyUsageFlags.keyCertSign) || mayDo(leaf, KeyUsageFlags.cRLSign)) return refused('leaf-is-ca')
  const isCrossSigned = !root.subject.equals(root.issuer)
  if (isCrossSigned && !root.oids.includes(id_ce_authorityKeyIdentifier)) return refused('certificate-extension', { at: 'root' })
  const wrong = lifetime(root, path) ?? extensionsOf(root)
  return wrong ? refused(wrong, { at: 'root' }) : accepted([...chain, root])
}

function wrongOf(
  certificate: Certificate,
  issuer: Certificate,
  at: number,
  chain: readonly Certificate[],
  path: PathToValidate,
): CertificatePathReason | undefined {
  if (!certificate.issuer.equals(issuer.subject) || !isIssuedBy(certificate, issuer)) return 'path-bad-signature'
  const outOfTime = lifetime(certificate, path)
  if (outOfTime) return outOfTime
  if (!isAllowedKey(certificate.publicKey)) return 'certificate-algorithm'
  const extensions = extensionsOf(certificate)
  if (extensions) return extensions
  // RFC 5280 §4.2.1.1: all but self-issued certificates name the key that signed them.
  if (!certificate.oids.includes(id_ce_authorityKeyIdentifier)) return 'certificate-extension'
  // RFC 5280 §4.2.1.6: without a subject the alternative name is critical.
  if (certificate.subject.length <= 2 && !certificate.criticalOids.includes(id_ce_subjectAltName)) return 'certificate-extension'
  const authority = authorityOf(issuer)
  if (authority) return authority
  // RFC 5280 §4.2.1.9: how many CA certificates that are not self-issued may follow the issuer; the leaf does not count.
  const below = chain.slice(1, at + 1).filter(({ subject, issuer: name }) => !subject.equals(name)).length
  if (issuer.pathLength !== undefined && below > issuer.pathLength) return 'path-length-exceeded'
  const status = revocationStatus(certificate, issuer, path.revocationLists, path.now)
  if (status === 'revoked') return 'certificate-revoked'
  return status === 'unknown' && path.requireRevocationStatus ? 'revocation-unknown' : undefined
}

function extensionsOf({ criticalOids, oids }: Certificate): 'certificate-extension' | undefined {
  const refusedOne = criticalOids.some((oid) => !handled.has(oid)) || neverPassedOver.some((oid) => oids.includes(oid))
  return refusedOne ? 'certificate-extension' : undefined
}

/** RFC 5280 §4.2.1.2, §4.2.1.3, §4.2.1.9: what a certificate that signs others must say of itself. */
function authorityOf(issuer: Certificate): 'issuer-not-ca' | 'issuer-key-usage' | 'certificate-extension' | undefined {
  if (!issuer.isCa || !issuer.criticalOids.includes(id_ce_basicConstraints)) return 'issuer-not-ca'
  if (!mayDo(issuer, KeyUsageFlags.keyCertSign)) return 'issuer-key-usage'
  return issuer.oids.includes(id_ce_subjectKeyIdentifier) && issuer.subject.length > 2 ? undefined : 'certificate-extension'
}

function lifetime(
  { notBeforeMs, notAfterMs }: Certificate,
  { now, skewMs }: PathToValidate,
): 'certificate-not-yet-valid' | 'certificate-expired' | undefined {
  if (now < notBeforeMs - skewMs) return 'certificate-not-yet-valid'
  return now > notAfterMs + skewMs ? 'certificate-expired' : undefined
}

function isIssuedBy(certificate: Certificate, issuer: Certificate): boolean {
  return (
    digestOfAlgorithm(certificate.signatureAlgorithm, issuer.publicKey) !== undefined && certificate.x509.verify(issuer.publicKey)
  )
}
