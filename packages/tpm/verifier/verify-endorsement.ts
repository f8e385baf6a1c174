import { X509Certificate } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import { MalformedBytes } from '../structures/byte-reader.ts'
import { type DerElement, derChildren, derElement, derTag, oidText } from './der.ts'
import { type ChainCertificate, readChainCertificate } from './endorsement-certificate.ts'
import { readEndorsementKey } from './endorsement-key.ts'
import { type RevocationList, readRevocationList, signatureHashes } from './revocation-list.ts'
import type { TpmReason } from './tpm-reason.ts'

export type EndorsementEvidence = {
  /** DER, leaf first, without the root: as vendors' and the device's certificates come. */
  readonly chain: readonly Uint8Array[]
  /** TPMT_PUBLIC of the endorsement key in the device. */
  readonly endorsementKey: Uint8Array
  /** DER of the vendors' roots that policy pins. */
  readonly roots: readonly Uint8Array[]
  /** DER, at most one current list for each issuer. */
  readonly crls: readonly Uint8Array[]
  /** Whether an issuer without a list is refused. Vendors exist that publish none. */
  readonly requireRevocationStatus: boolean
  readonly now: number
}

/** What the manufacturer says the TPM is: attributes 2.23.133.2.1 to .3 of the certificate's subject alternative name. */
export type TpmModel = { readonly manufacturer: string; readonly model: string; readonly version: string }

type Link = ChainCertificate & { readonly x509: X509Certificate }
type Reason = TpmReason

const oid = {
  keyUsage: '2.5.29.15',
  alternativeName: '2.5.29.17',
  basicConstraints: '2.5.29.19',
  extendedUsage: '2.5.29.37',
} as const
const endorsementUsage = '2.23.133.8.1'
const modelOids = { manufacturer: '2.23.133.2.1', model: '2.23.133.2.2', version: '2.23.133.2.3' } as const
const chainLengthMax = 5

const usageBit = { keyEncipherment: 2, keyAgreement: 4, keyCertSign: 5, crlSign: 6 } as const

function hasUsage(certificate: ChainCertificate, ...bits: number[]): boolean {
  const extension = certificate.extensions.get(oid.keyUsage)
  if (!extension) return false
  const octets = derElement(extension.value, derTag.bitString).content.subarray(1)
  return bits.some((bit) => ((octets[bit >> 3] ?? 0) & (0x80 >> (bit & 7))) !== 0)
}

/** Whether an unknown critical extension stands in the certificate: what it demands cannot be kept (RFC 5280, 4.2). */
function unknownCritical(certificate: ChainCertificate, understood: readonly string[]): string | undefined {
  return [...certificate.extensions].find(([id, { isCritical }]) => isCritical && !understood.includes(id))?.[0]
}

/** Node's own `ca` is false for a CA without keyCertSign, so the extension is read here. */
function basicConstraints(certificate: ChainCertificate): { isCa: boolean; pathLength: DerElement | undefined } {
  const extension = certificate.extensions.get(oid.basicConstraints)
  const [isCa, pathLength] = extension ? derChildren(derElement(extension.value, derTag.sequence)) : []
  return { isCa: isCa?.tag === derTag.boolean && isCa.content[0] === 0xff, pathLength }
}

/** Whether this certificate may issue, with `below` further CAs under it on this path. */
function isAuthority(certificate: ChainCertificate, below: number): boolean {
  const { isCa, pathLength } = basicConstraints(certificate)
  if (pathLength && (pathLength.content.length !== 1 || pathLength.content.readInt8() < below)) return false
  return isCa && hasUsage(certificate, usageBit.keyCertSign)
}

function readModel(leaf: ChainCertificate): TpmModel | undefined {
  const extension = leaf.extensions.get(oid.alternativeName)
  if (!extension) return undefined
  const attributes = new Map<string, string>()
  const directoryNameTag = 0xa4
  for (const name of derChildren(derElement(extension.value, derTag.sequence))) {
    if (name.tag !== directoryNameTag) continue
    for (const set of derChildren(derElement(name.content, derTag.sequence))) {
      for (const attribute of derChildren(set)) {
        const [id, value] = derChildren(attribute)
        if (id && value) attributes.set(oidText(id), value.content.toString('utf8'))
      }
    }
  }
  const [manufacturer, model, version] = Object.values(modelOids).map((id) => attributes.get(id))
  return manufacturer && model && version ? { manufacturer, model, version } : undefined
}

/** What is wrong with the leaf as an endorsement certificate (EK Credential Profile, 3.2). */
function leafFault(leaf: Link): string | undefined {
  const unknown = unknownCritical(leaf, Object.values(oid))
  if (unknown) return `critical extension ${unknown}`
  if (basicConstraints(leaf).isCa) return 'is a certificate authority'
  if (!hasUsage(leaf, usageBit.keyEncipherment, usageBit.keyAgreement) || hasUsage(leaf, usageBit.keyCertSign)) return 'key usage'
  const usage = leaf.extensions.get(oid.extendedUsage)
  const usages = usage ? derChildren(derElement(usage.value, derTag.sequence)).map(oidText) : []
  return usages.includes(endorsementUsage) ? undefined : 'extended key usage'
}

/** What stands against a certificate by its issuer’s lists: only a fresh one that the issuer signed says that it is not revoked. */
function revocationFault(
  link: Link,
  issuer: Link,
  lists: readonly RevocationList[],
  evidence: EndorsementEvidence,
): string | undefined {
  const own = lists.filter(
    (list) => list.issuer.equals(link.issuer) && hasUsage(issuer, usageBit.crlSign) && list.isSignedBy(issuer.x509.publicKey),
  )
  if (own.some((list) => list.revokedSerials.has(link.serial))) return 'revoked'
  const isFresh = own.some((list) => list.thisUpdate <= evidence.now && evidence.now < list.nextUpdate)
  if (isFresh) return undefined
  return own.length > 0 || evidence.requireRevocationStatus ? 'no fresh list' : undefined
}

function pathFault(path: readonly Link[], lists: readonly RevocationList[], evidence: EndorsementEvidence): Result<null, Reason> {
  for (const [index, link] of path.entries()) {
    if (evidence.now < link.notBefore || evidence.now > link.notAfter) return refused('endorsement-expired', { at: index })
    if (!signatureHashes.has(link.signatureAlgorithm))
      return refused('endorsement-chain', { at: index, because: 'signature algorithm' })
    const issuer = path[index + 1]
    if (index > 0) {
      const unknown = unknownCritical(link, [oid.keyUsage, oid.basicConstraints])
      if (unknown) return refused('endorsement-chain', { at: index, because: `critical extension ${unknown}` })
      if (!isAuthority(link, index - 1)) return refused('endorsement-chain', { at: index, because: 'no authority to issue' })
    }
    if (!issuer) continue
    if (!link.x509.checkIssued(issuer.x509) || !link.x509.verify(issuer.x509.publicKey))
      return refused('endorsement-chain', { at: index })
    const revocation = revocationFault(link, issuer, lists, evidence)
    if (revocation) return refused('endorsement-revoked', { at: index, because: revocation })
  }
  return accepted(null)
}

const readLink = (bytes: Uint8Array): Link => ({ ...readChainCertificate(Buffer.from(bytes)), x509: new X509Certificate(bytes) })

function verifyChain(evidence: EndorsementEvidence): Result<TpmModel, Reason> {
  if (evidence.chain.length === 0 || evidence.chain.length > chainLengthMax)
    return refused('endorsement-chain', { because: 'chain length' })
  const chain = evidence.chain.map(readLink)
  const [leaf] = chain
  const top = chain.at(-1)
  if (!leaf || !top) return refused('endorsement-chain')

  // Which root is the issuer is for its signature to show: any number of others may bear its name.
  const root = evidence.roots.map(readLink).find(({ x509 }) => top.x509.checkIssued(x509) && top.x509.verify(x509.publicKey))
  if (!root) return refused('endorsement-chain', { because: 'no pinned root issued it' })
  const sound = pathFault(
    [...chain, root],
    evidence.crls.map((crl) => readRevocationList(Buffer.from(crl))),
    evidence,
  )
  if (!sound.ok) return sound

  const fault = leafFault(leaf)
  if (fault) return refused('endorsement-certificate', { because: fault })
  const model = readModel(leaf)
  if (!model) return refused('endorsement-certificate', { because: 'names no manufacturer, model and version' })

  const endorsementKey = readEndorsementKey(evidence.endorsementKey)
  if (!endorsementKey.ok) return endorsementKey
  if (!leaf.x509.publicKey.equals(endorsementKey.value.key))
    return refused('endorsement-key', { because: 'the certificate is another key’s' })
  return accepted(model)
}

/**
 * Verifies that a TPM vendor vouches for an endorsement key (check 3). The order of the chain is the sender's to get right: nothing is searched
 * for, so a chain cannot be made long to verify. Pure.
 */
export function verifyEndorsement(evidence: EndorsementEvidence): Result<TpmModel, Reason> {
  try {
    return verifyChain(evidence)
  } catch (error) {
    // OpenSSL throws codes of its own for what it cannot read; it is the sender's certificate all the same.
    const isOpenSsl = error instanceof Error && 'code' in error && String(error.code).startsWith('ERR_OSSL')
    if (!(error instanceof MalformedBytes) && !isOpenSsl) throw error
    return refused('endorsement-chain', { because: error.message })
  }
}
