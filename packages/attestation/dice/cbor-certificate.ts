import { type CborMap, isBytes, mapOf, readCbor } from '../cose/cbor.ts'
import { readCoseKey } from '../cose/cose-key.ts'
import { isCoseSignedBy, readCoseSign1 } from '../cose/cose-sign1.ts'
import { configurationInput } from './configuration.ts'
import type { DiceCertificate } from './dice-certificate.ts'

/** Open DICE Profile, "CBOR CDI Certificates": labels of the CWT. */
export const cwtLabel = {
  issuer: 1,
  subject: 2,
  codeHash: -4_670_545,
  codeDescriptor: -4_670_546,
  configurationHash: -4_670_547,
  configurationDescriptor: -4_670_548,
  authorityHash: -4_670_549,
  authorityDescriptor: -4_670_550,
  mode: -4_670_551,
  subjectPublicKey: -4_670_552,
  keyUsage: -4_670_553,
  profileName: -4_670_554,
} as const
const labels = new Set<unknown>(Object.values(cwtLabel))
/** keyCertSign alone, in little-endian bit order. */
const keyCertSign = 0x20
/** A certificate has no purpose beside itself: no external_aad. */
export const certificateContext = ''

/** A CDI certificate as a CWT; undefined where it is not in the profile's form in every field. Times are not in it: a device has no clock. */
export function readCborDiceCertificate(bytes: Buffer): DiceCertificate | undefined {
  const message = readCoseSign1(bytes)
  const { payload } = message ?? {}
  const claims = payload && mapOf(readCbor(payload), labels)
  if (!message || !payload || !claims) return undefined
  const [issuer, subject] = [idAt(claims, cwtLabel.issuer), idAt(claims, cwtLabel.subject)]
  const [code, authority] = [bytesAt(claims, cwtLabel.codeHash), bytesAt(claims, cwtLabel.authorityHash)]
  const configuration = configurationOf(claims)
  const mode = oneByteAt(claims, cwtLabel.mode)
  const key = bytesAt(claims, cwtLabel.subjectPublicKey)
  const subjectKey = key && readCoseKey(key)
  if (!issuer || !subject || !code || !authority || !configuration || mode === undefined || !subjectKey) return undefined
  if (oneByteAt(claims, cwtLabel.keyUsage) !== keyCertSign) return undefined
  return {
    format: 'cbor',
    ...{ issuer, subject, subjectKey },
    inputs: { code, configuration, authority, mode },
    isLast: false,
    isSignedBy: (issuerKey) => isCoseSignedBy(issuerKey, message, { context: certificateContext, payload }),
  }
}

function configurationOf(claims: CborMap): Buffer | undefined {
  const hash = bytesAt(claims, cwtLabel.configurationHash)
  if (claims.has(cwtLabel.configurationHash) && !hash) return undefined
  return configurationInput(hash, bytesAt(claims, cwtLabel.configurationDescriptor))
}

function bytesAt(claims: CborMap, label: number): Buffer | undefined {
  const value = claims.get(label)
  return isBytes(value) ? Buffer.from(value) : undefined
}

function oneByteAt(claims: CborMap, label: number): number | undefined {
  const bytes = bytesAt(claims, label)
  return bytes?.length === 1 ? bytes[0] : undefined
}

function idAt(claims: CborMap, label: number): string | undefined {
  const value = claims.get(label)
  return typeof value === 'string' && /^[0-9a-f]{40}$/.test(value) ? value : undefined
}
