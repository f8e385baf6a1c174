import { verify } from 'node:crypto'
import { AsnConvert } from '@peculiar/asn1-schema'
import { CertificateList, id_ce_cRLNumber, id_ce_cRLReasons } from '@peculiar/asn1-x509'
import type { Certificate } from './certificate.ts'
import { KeyUsageFlags, mayDo } from './certificate.ts'
import { exactDer } from './der.ts'
import { digestOfAlgorithm } from './signature-algorithms.ts'

export const revocationListBytesMax = 1_048_576

/** A CRL as it says of itself. */
export type RevocationList = {
  readonly der: Buffer
  readonly issuer: Buffer
  readonly thisUpdateMs: number
  readonly nextUpdateMs: number
  readonly serials: ReadonlySet<string>
  readonly signatureAlgorithm: string
  readonly tbs: Buffer
  readonly signature: Buffer
}

// RFC 5280 §5.2: the authority key identifier and the number are all that a full CRL by the certificate's own issuer needs. Any other
// extension (delta, issuing distribution point) would change what the list covers, so such a list says nothing here.
const understood = new Set(['2.5.29.35', id_ce_cRLNumber])

/** Reads a full, direct CRL; undefined for any other: unknown is not good, so leaving it out refuses more, never less (ATTACKS 12). */
export function readRevocationList(der: Buffer): RevocationList | undefined {
  if (der.length > revocationListBytesMax || !exactDer(der)) return undefined
  try {
    const asn = AsnConvert.parse(der, CertificateList)
    const { tbsCertList: tbs } = asn
    const extensions = tbs.crlExtensions ?? []
    if (!tbs.nextUpdate || extensions.some(({ extnID, critical }) => critical || !understood.has(extnID))) return undefined
    // RFC 5280 §5.2.3: every CRL has a number.
    if (!extensions.some(({ extnID }) => extnID === id_ce_cRLNumber)) return undefined
    const entries = tbs.revokedCertificates ?? []
    const strange = entries.some(({ crlEntryExtensions }) =>
      (crlEntryExtensions ?? []).some(({ extnID, critical }) => critical && extnID !== id_ce_cRLReasons),
    )
    if (strange) return undefined
    return {
      der,
      issuer: Buffer.from(AsnConvert.serialize(tbs.issuer)),
      thisUpdateMs: tbs.thisUpdate.getTime().getTime(),
      nextUpdateMs: tbs.nextUpdate.getTime().getTime(),
      serials: new Set(entries.map(({ userCertificate }) => Buffer.from(userCertificate).toString('hex'))),
      signatureAlgorithm: asn.signatureAlgorithm.algorithm,
      tbs: tbsOf(der),
      signature: Buffer.from(asn.signature),
    }
  } catch {
    return undefined
  }
}

export type RevocationStatus = 'good' | 'revoked' | 'unknown'

/** Status of a certificate by the lists that its own issuer signed and that are fresh (ATTACKS 12, 13). */
export function revocationStatus(
  certificate: Certificate,
  issuer: Certificate,
  lists: readonly RevocationList[],
  now: number,
): RevocationStatus {
  const usable = lists.filter(
    (list) =>
      list.issuer.equals(certificate.issuer) &&
      list.thisUpdateMs <= now &&
      list.nextUpdateMs > now &&
      mayDo(issuer, KeyUsageFlags.cRLSign) &&
      isSignedBy(list, issuer),
  )
  if (usable.some((list) => list.serials.has(certificate.serial))) return 'revoked'
  return usable.length > 0 ? 'good' : 'unknown'
}

function isSignedBy(list: RevocationList, issuer: Certificate): boolean {
  const hash = digestOfAlgorithm(list.signatureAlgorithm, issuer.publicKey)
  return hash !== undefined && verify(hash, list.tbs, issuer.publicKey, list.signature)
}

/** The first element inside the outer SEQUENCE, as it lies there: what is signed are these bytes, not a re-encoding. */
function tbsOf(der: Buffer): Buffer {
  const start = headerLength(der, 0)
  const length = contentLength(der, start)
  return der.subarray(start, start + headerLength(der, start) + length)
}
const headerLength = (der: Buffer, at: number): number =>
  (der[at + 1] as number) < 0x80 ? 2 : 2 + ((der[at + 1] as number) & 0x7f)
function contentLength(der: Buffer, at: number): number {
  const first = der[at + 1] as number
  return first < 0x80 ? first : der.readUIntBE(at + 2, first & 0x7f)
}
