import 'reflect-metadata'
import { generateKeyPairSync, type KeyObject, webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  ExtendedKeyUsageExtension,
  type Extension,
  KeyUsageFlags,
  KeyUsagesExtension,
  Extension as RawExtension,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '@peculiar/x509'
import { u16 } from '../structures/bytes.ts'

// From here, so that reflect-metadata is there before them.
export { BasicConstraintsExtension, ExtendedKeyUsageExtension, type Extension, KeyUsageFlags, KeyUsagesExtension }

/** Certificates that a vendor's CA might issue, right or wrong in one thing. */
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
type Pair = { publicKey: webcrypto.CryptoKey; privateKey: webcrypto.CryptoKey }

async function pairOf(key: KeyObject): Promise<webcrypto.CryptoKey> {
  return webcrypto.subtle.importKey('spki', key.export({ format: 'der', type: 'spki' }), algorithm, true, ['verify'])
}

export async function newPair(): Promise<Pair> {
  return (await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])) as Pair
}

export const day = 86_400_000
export const sampleNow = Date.UTC(2026, 5, 1)

export type IssueOptions = {
  subject: string
  issuer: string
  key: KeyObject | webcrypto.CryptoKey
  by: Pair
  extensions: Extension[]
  notBefore?: number
  notAfter?: number
  serial?: string
  hash?: string
}

export async function issue(options: IssueOptions): Promise<Buffer> {
  const { notBefore = sampleNow - day, notAfter = sampleNow + day, serial = '01', hash = 'SHA-256' } = options
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serial,
    subject: options.subject,
    issuer: options.issuer,
    notBefore: new Date(notBefore),
    notAfter: new Date(notAfter),
    publicKey: 'type' in options.key && 'algorithm' in options.key ? options.key : await pairOf(options.key as KeyObject),
    signingKey: options.by.privateKey,
    signingAlgorithm: { ...algorithm, hash },
    extensions: options.extensions,
  })
  return Buffer.from(certificate.rawData)
}

export const authorityExtensions = (
  pathLength?: number,
  usage = KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign,
): Extension[] => [new BasicConstraintsExtension(true, pathLength, true), new KeyUsagesExtension(usage, true)]

function derLength(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length])
  return length < 0x100 ? Buffer.from([0x81, length]) : Buffer.concat([Buffer.from([0x82]), u16(length)])
}

export function tlv(tag: number, ...content: Uint8Array[]): Buffer {
  const body = Buffer.concat(content)
  return Buffer.concat([Buffer.from([tag]), derLength(body.length), body])
}

/** 2.23.133.2.n */
const modelAttribute = (number: number, text: string): Buffer =>
  tlv(0x31, tlv(0x30, tlv(0x06, Buffer.from([0x67, 0x81, 0x05, 0x02, number])), tlv(0x0c, Buffer.from(text))))

export function modelName(
  names: readonly [number, string][] = [
    [1, 'id:49465800'],
    [2, 'SLB 9670'],
    [3, 'id:0755'],
  ],
): Extension {
  const name = tlv(0x30, tlv(0xa4, tlv(0x30, ...names.map(([number, text]) => modelAttribute(number, text)))))
  return new RawExtension('2.5.29.17', true, name)
}

export const unknownExtension = (isCritical: boolean): Extension =>
  new RawExtension('1.2.3.4', isCritical, Buffer.from([0x05, 0x00]))

export const endorsementUsage = '2.23.133.8.1'
export const leafExtensions = (usages: string[] = [endorsementUsage]): Extension[] => [
  new BasicConstraintsExtension(false, undefined, true),
  new KeyUsagesExtension(KeyUsageFlags.keyAgreement, true),
  new ExtendedKeyUsageExtension(usages),
  modelName(),
]

export async function revocationList(options: {
  issuer: string
  by: Pair
  serials: string[]
  thisUpdate?: number
  nextUpdate?: number
  extensions?: Extension[]
}): Promise<Buffer> {
  const list = await X509CrlGenerator.create({
    issuer: options.issuer,
    thisUpdate: new Date(options.thisUpdate ?? sampleNow - day),
    nextUpdate: new Date(options.nextUpdate ?? sampleNow + day),
    entries: options.serials.map((serialNumber) => ({ serialNumber, revocationDate: new Date(sampleNow - day) })),
    signingKey: options.by.privateKey,
    signingAlgorithm: algorithm,
    extensions: options.extensions ?? [],
  })
  return Buffer.from(list.rawData)
}

/** A certificate for a key, by a CA that nobody knows. */
export async function certificateFor(key: KeyObject): Promise<Buffer> {
  return issue({ subject: 'CN=key', issuer: 'CN=somebody', key, by: await newPair(), extensions: [] })
}

export const anyKey = (): KeyObject => generateKeyPairSync('ec', { namedCurve: 'P-256' }).publicKey
