import { type KeyObject, verify } from 'node:crypto'
import { MalformedBytes } from '../structures/byte-reader.ts'
import { derChildren, derElement, derTag, derTime, oidText } from './der.ts'

/** A certificate revocation list (RFC 5280, 5) whose signature is not yet verified. */
export type RevocationList = {
  readonly issuer: Buffer
  readonly thisUpdate: number
  readonly nextUpdate: number
  readonly revokedSerials: ReadonlySet<string>
  isSignedBy(key: KeyObject): boolean
}

/** Signature algorithms of certificates and CRLs: SHA-2 with RSA or ECDSA. */
export const signatureHashes: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.11', 'sha256'],
  ['1.2.840.113549.1.1.12', 'sha384'],
  ['1.2.840.113549.1.1.13', 'sha512'],
  ['1.2.840.10045.4.3.2', 'sha256'],
  ['1.2.840.10045.4.3.3', 'sha384'],
  ['1.2.840.10045.4.3.4', 'sha512'],
])

const listBytesMax = 4 * 1024 * 1024
const extensionsTag = 0xa0
/** A partial or delta list has a critical extension: it could leave out what is revoked. */
const understood = new Set(['2.5.29.20', '2.5.29.35'])

/** Reads a complete CRL that says when the next one comes; throws MalformedBytes for any other. */
export function readRevocationList(bytes: Buffer): RevocationList {
  if (bytes.length > listBytesMax) throw new MalformedBytes(`CRL of ${bytes.length} bytes`)
  const [tbs, outer, signature, ...more] = derChildren(derElement(bytes, derTag.sequence))
  if (!tbs || !outer || signature?.tag !== derTag.bitString || more.length > 0) throw new MalformedBytes('CRL')
  const fields = derChildren(tbs)
  if (fields[0]?.tag === derTag.integer) fields.shift()
  const [inner, issuer, thisUpdate, nextUpdate, ...optional] = fields
  if (!inner?.bytes.equals(outer.bytes) || !issuer || !thisUpdate || !nextUpdate) throw new MalformedBytes('CRL fields')
  for (const wrapper of optional.filter(({ tag }) => tag === extensionsTag)) {
    for (const extension of derChildren(derElement(wrapper.content, derTag.sequence))) {
      const [id, critical] = derChildren(extension)
      if (id && critical?.tag === derTag.boolean && !understood.has(oidText(id))) throw new MalformedBytes('CRL extension')
    }
  }
  const revoked = optional.find(({ tag }) => tag === derTag.sequence)
  const serials = revoked ? derChildren(revoked).map((entry) => derChildren(entry)[0]?.content.toString('hex') ?? '') : []
  const algorithmId = derChildren(outer)[0]
  const hash = algorithmId && signatureHashes.get(oidText(algorithmId))
  return {
    issuer: issuer.bytes,
    thisUpdate: derTime(thisUpdate),
    nextUpdate: derTime(nextUpdate),
    revokedSerials: new Set(serials),
    // The first octet of a BIT STRING counts its unused bits: none in a signature.
    isSignedBy: (key) =>
      hash !== undefined && signature.content[0] === 0 && verify(hash, tbs.bytes, key, signature.content.subarray(1)),
  }
}
