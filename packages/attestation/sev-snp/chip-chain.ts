import { accepted, type Result, refused } from '@interlock/contracts'
import { derElement, derTag } from '@interlock/tpm/der'
import { type AmdCertificate, readAmdCertificate } from './chip-certificate.ts'
import type { SnpReason } from './snp-reason.ts'

const rsassaPss = '1.2.840.113549.1.1.10'
const basicConstraints = '2.5.29.19'
const keyUsage = '2.5.29.15'
/** Bit 5 of KeyUsage. */
const keyCertSign = 0x04

type Reason = Extract<SnpReason, `chain-${string}`>

/** VCEK or VLEK, issued by ASK or ASVK, issued by a pinned ARK: three certificates, no search. @throws MalformedBytes, or an error of OpenSSL */
export function verifyChipChain(
  chain: readonly Buffer[],
  { roots, now }: { readonly roots: readonly Buffer[]; readonly now: number },
): Result<AmdCertificate, Reason> {
  if (chain.length !== 2) return refused('chain-length', { certificates: chain.length })
  const [leaf, intermediate] = chain.map(readAmdCertificate) as [AmdCertificate, AmdCertificate]
  // By signature: anybody may be called ARK-Milan.
  const root = roots.map(readAmdCertificate).find((candidate) => isIssuedBy(intermediate, candidate))
  if (!root) return refused('chain-root')
  if (!isIssuedBy(leaf, intermediate)) return refused('chain-signature')
  for (const [at, certificate] of [leaf, intermediate, root].entries()) {
    if (now < certificate.notBefore || now > certificate.notAfter) return refused('chain-expired', { at })
    if (at > 0 && !isAuthority(certificate)) return refused('chain-authority', { at })
  }
  return accepted(leaf)
}

/** AMD signs with RSASSA-PSS of 4096 bits and SHA-384 alone. */
const isIssuedBy = ({ x509, signatureAlgorithm }: AmdCertificate, { x509: issuer }: AmdCertificate): boolean =>
  signatureAlgorithm === rsassaPss &&
  issuer.publicKey.asymmetricKeyDetails?.modulusLength === 4096 &&
  x509.checkIssued(issuer) &&
  x509.verify(issuer.publicKey)

function isAuthority({ x509, extensions }: AmdCertificate): boolean {
  const unknown = [...extensions].some(([id, { isCritical }]) => isCritical && id !== basicConstraints && id !== keyUsage)
  const usage = extensions.get(keyUsage)
  const bits = usage && derElement(usage.value, derTag.bitString).content[1]
  return x509.ca && !unknown && ((bits ?? 0) & keyCertSign) !== 0
}
