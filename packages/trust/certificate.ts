import { type KeyObject, X509Certificate } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import { AsnConvert, OctetString } from '@peculiar/asn1-schema'
import {
  Certificate as AsnCertificate,
  AuthorityInfoAccessSyntax,
  BasicConstraints,
  type Extension,
  id_ce_basicConstraints,
  id_ce_keyUsage,
  id_ce_subjectAltName,
  id_pe_authorityInfoAccess,
  KeyUsage,
  KeyUsageFlags,
  SubjectAlternativeName,
} from '@peculiar/asn1-x509'
import { exactDer } from './der.ts'

export const definitionHashOid = '1.3.6.1.4.1.58888.1.1'
export const assuranceOid = '1.3.6.1.4.1.58888.1.2'
export const certificateBytesMax = 16_384

/** A certificate as it says of itself: nothing here is verified. */
export type Certificate = {
  readonly der: Buffer
  readonly x509: X509Certificate
  readonly publicKey: KeyObject
  /** DER of the names, compared byte by byte: RFC 5280 §7.1 allows more, an SVID needs no more. */
  readonly subject: Buffer
  readonly issuer: Buffer
  readonly serial: string
  readonly signatureAlgorithm: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly isCa: boolean
  readonly pathLength: number | undefined
  /** undefined where there is no key usage extension. */
  readonly keyUsage: number | undefined
  readonly uris: readonly string[]
  readonly criticalOids: readonly string[]
  readonly oids: readonly string[]
  /** Contents of the extensions' values, by OID. */
  readonly extensions: ReadonlyMap<string, Buffer>
  readonly definitionHash: string | undefined
  readonly assurance: string | undefined
}

export type CertificateReadReason = 'certificate-too-large' | 'certificate-malformed'

/** Reads one DER certificate, exactly: byte limit first, definite lengths, no trailing bytes, both algorithm fields equal (ATTACKS 18, 19). */
export function readCertificate(der: Buffer): Result<Certificate, CertificateReadReason> {
  if (der.length > certificateBytesMax)
    return refused('certificate-too-large', { bytes: der.length, bytesMax: certificateBytesMax })
  try {
    const read = parse(der)
    return typeof read === 'string' ? refused('certificate-malformed', { cause: read }) : accepted(read)
  } catch (error) {
    return refused('certificate-malformed', { cause: error instanceof Error ? error.message.slice(0, 120) : 'unreadable' })
  }
}

function parse(der: Buffer): Certificate | string {
  if (!exactDer(der)) return 'not exactly one definite-length DER element'
  const asn = AsnConvert.parse(der, AsnCertificate)
  const { tbsCertificate: tbs } = asn
  if (tbs.version !== 2) return 'not an X.509 version 3 certificate'
  const [outer, inner] = [AsnConvert.serialize(asn.signatureAlgorithm), AsnConvert.serialize(tbs.signature)]
  if (!Buffer.from(outer).equals(Buffer.from(inner))) return 'the two signature algorithm fields differ (RFC 5280 §4.1.1.2)'
  const serial = Buffer.from(tbs.serialNumber)
  if (serial.length === 0 || serial.length > 20 || ((serial[0] as number) & 0x80) !== 0 || serial.every((byte) => byte === 0))
    return 'the serial number is not positive or longer than 20 octets (RFC 5280 §4.1.2.2)'
  if (tbs.issuerUniqueID || tbs.subjectUniqueID) return 'unique identifiers are not supported'
  const extensions: readonly Extension[] = tbs.extensions ?? []
  const oids = extensions.map(({ extnID }) => extnID)
  if (new Set(oids).size !== oids.length) return 'an extension stands twice (RFC 5280 §4.2)'
  const extensionOf = (oid: string) => extensions.find(({ extnID }) => extnID === oid)?.extnValue.buffer
  const notBeforeMs = tbs.validity.notBefore.getTime().getTime()
  const notAfterMs = tbs.validity.notAfter.getTime().getTime()
  if (!(notBeforeMs <= notAfterMs)) return 'the validity ends before it begins'
  if (!der.includes(validityOf(notBeforeMs, notAfterMs))) return 'a time is not written as RFC 5280 §4.1.2.5 has it'

  // Never followed, but a certificate whose issuer wrote it wrongly is not believed in the rest either.
  const { algorithm, parameters } = tbs.subjectPublicKeyInfo.algorithm
  // RFC 5480 §2.1.1: a curve is named, never spelt out: spelt out it could be another curve under a good name.
  if (algorithm === '1.2.840.10045.2.1' && (!parameters || new Uint8Array(parameters)[0] !== 0x06))
    return 'the curve is not named'
  const access = extensionOf(id_pe_authorityInfoAccess)
  if (access) AsnConvert.parse(access, AuthorityInfoAccessSyntax)
  const constraints = extensionOf(id_ce_basicConstraints)
  const basic = constraints && AsnConvert.parse(constraints, BasicConstraints)
  const usage = extensionOf(id_ce_keyUsage)
  const alternative = extensionOf(id_ce_subjectAltName)
  const names = alternative ? [...AsnConvert.parse(alternative, SubjectAlternativeName)] : []
  const x509 = new X509Certificate(der)
  return {
    der,
    x509,
    // Read here, once: a key that OpenSSL cannot decode throws, and the certificate is then malformed.
    publicKey: x509.publicKey,
    subject: Buffer.from(AsnConvert.serialize(tbs.subject)),
    issuer: Buffer.from(AsnConvert.serialize(tbs.issuer)),
    serial: serial.toString('hex'),
    signatureAlgorithm: asn.signatureAlgorithm.algorithm,
    notBeforeMs,
    notAfterMs,
    isCa: basic?.cA ?? false,
    pathLength: basic?.pathLenConstraint,
    keyUsage: usage && AsnConvert.parse(usage, KeyUsage).toNumber(),
    uris: names.flatMap(({ uniformResourceIdentifier }) =>
      uniformResourceIdentifier === undefined ? [] : [uniformResourceIdentifier],
    ),
    criticalOids: extensions.filter(({ critical }) => critical).map(({ extnID }) => extnID),
    oids,
    extensions: new Map(extensions.map(({ extnID, extnValue }) => [extnID, Buffer.from(extnValue.buffer)])),
    definitionHash: hashOf(extensionOf(definitionHashOid)),
    assurance: textOf(extensionOf(assuranceOid)),
  }
}

/** RFC 5280 §4.1.2.5: whole seconds, in UTC, in two digits of the year up to 2049. Any other spelling, a fraction for one, others read otherwise (ATTACKS 11). */
function validityOf(...times: readonly [number, number]): Buffer {
  const written = times.map((ms) => {
    const digits = new Date(ms).toISOString().replace(/[-:T]|\.\d+/g, '')
    const year = Number(digits.slice(0, 4))
    const text = year >= 1950 && year < 2050 ? digits.slice(2) : digits
    return Buffer.concat([Buffer.of(text === digits ? 0x18 : 0x17, text.length), Buffer.from(text)])
  })
  const content = Buffer.concat(written)
  return Buffer.concat([Buffer.of(0x30, content.length), content])
}

function hashOf(value: ArrayBuffer | undefined): string | undefined {
  if (!value) return undefined
  const bytes = Buffer.from(AsnConvert.parse(value, OctetString).buffer)
  if (bytes.length !== 32) throw new Error('the definition hash is not 32 bytes')
  return bytes.toString('base64url')
}

/** UTF8String of at most 127 bytes. */
function textOf(value: ArrayBuffer | undefined): string | undefined {
  if (!value) return undefined
  const bytes = Buffer.from(value)
  if (bytes[0] !== 0x0c || bytes[1] !== bytes.length - 2 || bytes.length > 129)
    throw new Error('the assurance is no short UTF8String')
  return bytes.toString('utf8', 2)
}

export const mayDo = (certificate: Certificate, flag: KeyUsageFlags): boolean => ((certificate.keyUsage ?? 0) & flag) !== 0
export { KeyUsageFlags }
