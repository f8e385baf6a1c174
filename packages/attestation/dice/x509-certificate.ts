import { type DerElement, derChildren, derElement, derTag } from '@interlock/tpm/der'
import { digestOfAlgorithm, KeyUsageFlags, readCertificate } from '@interlock/trust'
import { configurationInput } from './configuration.ts'
import type { DiceCertificate, DiceInputs } from './dice-certificate.ts'

const oid = {
  subjectKeyIdentifier: '2.5.29.14',
  keyUsage: '2.5.29.15',
  basicConstraints: '2.5.29.19',
  authorityKeyIdentifier: '2.5.29.35',
  /** Open DICE Profile, "CDI Custom Extension Fields". */
  diceInput: '1.3.6.1.4.1.11129.2.1.24',
} as const
const known: ReadonlySet<string> = new Set(Object.values(oid))
const critical = [oid.keyUsage, oid.basicConstraints, oid.diceInput]

const field = { code: 0, configurationHash: 2, configurationDescriptor: 3, authority: 4, mode: 6 } as const
/** With codeDescriptor, authorityDescriptor and profileName, which say nothing that the hashes do not. */
const fieldLast = 7
const contextTag = 0xa0
/** The profile's text says INTEGER, its own implementation writes ENUMERATED. */
const modeTags: ReadonlySet<number> = new Set([derTag.integer, 0x0a])

/** A CDI certificate as X.509; undefined where it is not in the profile's form in every field. */
export function readX509DiceCertificate(der: Buffer): DiceCertificate | undefined {
  const read = readCertificate(der)
  if (!read.ok) return undefined
  const certificate = read.value
  const { extensions, criticalOids, oids, isCa, keyUsage, pathLength } = certificate
  if (!oids.every((one) => known.has(one)) || !critical.every((one) => criticalOids.includes(one))) return undefined
  // The form of a certificate says what its key is for: a key that may only certify is no key for anything else.
  if (!isCa || keyUsage !== KeyUsageFlags.keyCertSign || (pathLength ?? 0) !== 0) return undefined
  try {
    const [issuer, subject] = [idOf(certificate.issuer), idOf(certificate.subject)]
    const inputs = inputsOf(extensions.get(oid.diceInput) as Buffer)
    if (!issuer || !subject || !inputs) return undefined
    if (BigInt(`0x${certificate.serial}`) !== BigInt(`0x${subject}`)) return undefined
    if (keyIdentifier(extensions.get(oid.subjectKeyIdentifier)) !== subject) return undefined
    if (authorityIdentifier(extensions.get(oid.authorityKeyIdentifier)) !== issuer) return undefined
    return {
      format: 'x509',
      ...{ issuer, subject, inputs },
      subjectKey: certificate.publicKey,
      isLast: pathLength === 0,
      isSignedBy: (key) => digestOfAlgorithm(certificate.signatureAlgorithm, key) !== undefined && certificate.x509.verify(key),
    }
  } catch {
    // DER that is not DER, somewhere inside.
    return undefined
  }
}

/** The name `SERIALNUMBER=<40 hex digits>` and nothing else, as PrintableString or UTF8String. */
function idOf(name: Buffer): string | undefined {
  const prefix = Buffer.from('30333131302f0603550405', 'hex')
  const [tag, length] = [name[prefix.length], name[prefix.length + 1]]
  const text = name.subarray(prefix.length + 2).toString('latin1')
  const isName = name.subarray(0, prefix.length).equals(prefix) && (tag === 0x13 || tag === 0x0c) && length === 40
  return isName && /^[0-9a-f]{40}$/.test(text) ? text : undefined
}

function keyIdentifier(value: Buffer | undefined): string | undefined {
  return value && derElement(value, derTag.octetString).content.toString('hex')
}

/** AuthorityKeyIdentifier with keyIdentifier [0] and nothing else. */
function authorityIdentifier(value: Buffer | undefined): string | undefined {
  const [only, ...others] = value ? derChildren(derElement(value, derTag.sequence)) : []
  return only?.tag === 0x80 && others.length === 0 ? only.content.toString('hex') : undefined
}

/** OpenDiceInput: each field once, ascending. */
function inputsOf(value: Buffer): DiceInputs | undefined {
  const fields = new Map<number, DerElement>()
  let last = -1
  for (const { tag, content } of derChildren(derElement(value, derTag.sequence))) {
    const number = tag - contextTag
    if (number <= last || number > fieldLast) return undefined
    last = number
    fields.set(number, derElement(content, content[0] ?? 0))
  }
  const bytesOf = (number: number) => {
    const element = fields.get(number)
    return element?.tag === derTag.octetString ? element.content : undefined
  }
  const [code, authority] = [bytesOf(field.code), bytesOf(field.authority)]
  const hasHash = fields.has(field.configurationHash)
  const hash = bytesOf(field.configurationHash)
  const configuration = hasHash && !hash ? undefined : configurationInput(hash, bytesOf(field.configurationDescriptor))
  const mode = fields.get(field.mode)
  if (!code || !authority || !configuration || !mode || !modeTags.has(mode.tag) || mode.content.length !== 1) return undefined
  return { code, configuration, authority, mode: mode.content.readUInt8() }
}
