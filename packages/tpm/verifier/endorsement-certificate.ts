import { MalformedBytes } from '../structures/byte-reader.ts'
import { type DerElement, derChildren, derElement, derTag, derTime, oidText } from './der.ts'

/** What the checks of an endorsement chain need of a certificate, beside what node:crypto reads. */
export type ChainCertificate = {
  readonly bytes: Buffer
  readonly serial: string
  readonly issuer: Buffer
  readonly notBefore: number
  readonly notAfter: number
  readonly signatureAlgorithm: string
  readonly extensions: ReadonlyMap<string, { readonly isCritical: boolean; readonly value: Buffer }>
}

const certificateBytesMax = 8192
const extensionsTag = 0xa3
const versionTag = 0xa0

function readExtensions(element: DerElement): ChainCertificate['extensions'] {
  const extensions = new Map<string, { isCritical: boolean; value: Buffer }>()
  for (const each of derChildren(derElement(element.content, derTag.sequence))) {
    const [id, ...rest] = derChildren(each)
    const [critical, value] = rest.length === 2 ? rest : [undefined, rest[0]]
    if (!id || value?.tag !== derTag.octetString) throw new MalformedBytes('extension')
    if (critical && (critical.tag !== derTag.boolean || critical.content.length !== 1 || critical.content[0] !== 0xff)) {
      throw new MalformedBytes('extension criticality')
    }
    if (extensions.has(oidText(id))) throw new MalformedBytes('extension given twice')
    extensions.set(oidText(id), { isCritical: critical !== undefined, value: value.content })
  }
  return extensions
}

/** Reads an X.509 v3 certificate; throws MalformedBytes for any other. */
export function readChainCertificate(bytes: Buffer): ChainCertificate {
  if (bytes.length > certificateBytesMax) throw new MalformedBytes(`certificate of ${bytes.length} bytes`)
  const [tbs, outer, signature, ...more] = derChildren(derElement(bytes, derTag.sequence))
  if (!tbs || !outer || signature?.tag !== derTag.bitString || more.length > 0) throw new MalformedBytes('certificate')
  const [version, serial, inner, issuer, validity, , , ...optional] = derChildren(tbs)
  const extensions = optional.find(({ tag }) => tag === extensionsTag)
  if (version?.tag !== versionTag || version.content.toString('hex') !== '020102') throw new MalformedBytes('no version 3')
  if (!serial || !inner || !issuer || !validity || !extensions) throw new MalformedBytes('certificate fields')
  // The algorithm that is signed must be the one that is used (RFC 5280, 4.1.1.2).
  if (!inner.bytes.equals(outer.bytes)) throw new MalformedBytes('two signature algorithms')
  const [notBefore, notAfter] = derChildren(validity)
  const [algorithmId] = derChildren(outer)
  if (!notBefore || !notAfter || !algorithmId) throw new MalformedBytes('validity')
  return {
    bytes,
    serial: serial.content.toString('hex'),
    issuer: issuer.bytes,
    notBefore: derTime(notBefore),
    notAfter: derTime(notAfter),
    signatureAlgorithm: oidText(algorithmId),
    extensions: readExtensions(extensions),
  }
}

/** The certificate at the start of a larger NV index: vendors leave what is behind it as it was. */
export function certificateAtStart(bytes: Buffer): Buffer {
  const length = bytes[0] === derTag.sequence && bytes[1] === 0x82 && bytes.length >= 4 ? 4 + bytes.readUInt16BE(2) : bytes.length
  return bytes.subarray(0, length)
}
