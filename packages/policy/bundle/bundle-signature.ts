import { createHash, type KeyObject } from 'node:crypto'
import { algorithmOf, readJws, type SigningKey, signJws, verifySignature } from '@interlock/trust'
import { z } from 'zod'
import { BundleError } from './bundle-error.ts'

export const signaturesFile = '.signatures.json'

/** `plugin` is what OPA's own signer writes; another one would sign something else. */
const signaturesSchema = z.strictObject({
  signatures: z.array(z.string().max(32_768)).length(1),
  plugin: z.literal('_default').optional(),
})

/** The payload of OPA's bundle signature: each file and its hash. */
const payloadSchema = z.object({
  files: z
    .array(z.strictObject({ name: z.string().max(300), hash: z.string().max(128), algorithm: z.literal('SHA-256') }))
    .max(200),
})

/** OPA's `.signatures.json` over files: one JWT with their hashes, ES256. */
export async function signFiles(files: ReadonlyMap<string, Uint8Array>, key: SigningKey): Promise<Buffer> {
  const listed = [...files].map(([name, bytes]) => ({ name, hash: hashOf(name, bytes), algorithm: 'SHA-256' }))
  const token = await signJws({ kid: key.keyId, typ: 'JWT' }, { files: listed }, key)
  return Buffer.from(JSON.stringify({ signatures: [token] }))
}

/** Every file is signed for, as it is, and nothing else is. @throws BundleError */
export function verifyFiles(files: ReadonlyMap<string, Uint8Array>, publicKey: KeyObject): void {
  const signatures = files.get(signaturesFile)
  if (!signatures) throw refused('it is not signed')
  const read = signaturesSchema.safeParse(parseJson(signatures))
  const jws = readJws(read.success ? (read.data.signatures[0] as string) : '')
  if (!jws.ok) throw refused(`${signaturesFile} cannot be read`)
  // The key says which algorithm; what the header says must be the same, or one of the two was meant for something else.
  if (jws.value.header.alg !== algorithmOf(publicKey)) throw refused('it is signed by another algorithm than the key’s')
  if (!verifySignature(publicKey, jws.value.signingInput, jws.value.signature)) throw refused('the signature is not of this key')
  const payload = payloadSchema.safeParse(jws.value.payload)
  if (!payload.success) throw refused('what was signed is no list of files')
  const left = new Map([...files].filter(([name]) => name !== signaturesFile))
  for (const { name, hash } of payload.data.files) {
    const path = name.replace(/^\/+/, '')
    const bytes = left.get(path)
    if (!bytes || hashOf(path, bytes) !== hash) throw refused(`${path} is not what was signed`)
    left.delete(path)
  }
  const stranger = [...left.keys()][0]
  if (stranger !== undefined) throw refused(`${stranger} is not signed`)
}

/** As OPA hashes: documents by their sorted form, whatever white space they have; anything else by its bytes. */
function hashOf(name: string, bytes: Uint8Array): string {
  const base = name.slice(name.lastIndexOf('/') + 1)
  const isDocument = base === 'data.json' || base === '.manifest'
  return createHash('sha256')
    .update(isDocument ? sortedForm(parseJson(bytes, asWritten)) : bytes)
    .digest('hex')
}

/** A number as its author wrote it (1.50 stays 1.50), for OPA hashes its digits. */
class Written {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

const asWritten = (_key: string, value: unknown, context?: { readonly source: string }) =>
  typeof value === 'number' ? new Written(context?.source ?? String(value)) : value

function sortedForm(value: unknown): string {
  if (value instanceof Written) return value.text
  if (Array.isArray(value)) return `[${value.map(sortedForm).join(',')}]`
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  const members = Object.entries(value).sort(([one], [other]) => Buffer.compare(Buffer.from(one), Buffer.from(other)))
  return `{${members.map(([name, member]) => `${JSON.stringify(name)}:${sortedForm(member)}`).join(',')}}`
}

export function parseJson(bytes: Uint8Array, reviver?: typeof asWritten): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes), reviver)
  } catch {
    throw new BundleError('bundle-malformed', 'a document in the bundle is not JSON')
  }
}

const refused = (why: string) => new BundleError('bundle-signature', `the bundle's signature does not hold: ${why}`)
