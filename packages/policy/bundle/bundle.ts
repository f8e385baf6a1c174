import type { KeyObject } from 'node:crypto'
import type { SigningKey } from '@interlock/trust'
import { z } from 'zod'
import { entrypoint } from '../policy-module.ts'
import { readArchive, writeArchive } from './archive.ts'
import { BundleError } from './bundle-error.ts'
import { parseJson, signaturesFile, signFiles, verifyFiles } from './bundle-signature.ts'

/** What a policy is made of, however it came. */
export type PolicyBundle = {
  /** What it calls itself; empty where it has no name. */
  readonly revision: string
  readonly wasm: Buffer
  readonly data: Readonly<Record<string, unknown>>
}

const manifestSchema = z.looseObject({
  revision: z.string().max(160).default(''),
  wasm: z.array(z.looseObject({ entrypoint: z.string(), module: z.string() })).default([]),
})
const dataSchema = z.record(z.string(), z.unknown())

/**
 * A bundle that `opa build -t wasm` made. With a key its signature must hold; without one nobody has said whose it is.
 * @throws BundleError
 */
export function readBundle(bytes: Uint8Array, publicKey?: KeyObject): PolicyBundle {
  const files = readArchive(bytes)
  if (publicKey) verifyFiles(files, publicKey)
  const manifest = manifestSchema.safeParse(parseJson(files.get('.manifest') ?? Buffer.from('{}')))
  if (!manifest.success) throw new BundleError('bundle-malformed', `.manifest: ${z.prettifyError(manifest.error)}`)
  const { revision, wasm: modules } = manifest.data
  const module = modules.find((one) => one.entrypoint === entrypoint)
  const wasm = files.get((module?.module ?? '').replace(/^\/+/, ''))
  if (!wasm)
    throw new BundleError('bundle-malformed', `it has no WebAssembly for ${entrypoint}: build it with \`interlock policy build\``)
  const data = dataSchema.safeParse(parseJson(files.get('data.json') ?? Buffer.from('{}')))
  if (!data.success) throw new BundleError('bundle-malformed', 'data.json is not an object')
  return { revision, wasm, data: data.data }
}

/** The same bundle under another name, signed with a key where there is one. What was signed before is no longer. @throws BundleError */
export async function renameBundle(bytes: Uint8Array, revision: string, key?: SigningKey): Promise<Buffer> {
  const files = new Map(readArchive(bytes))
  files.delete(signaturesFile)
  const manifest = dataSchema.parse(parseJson(files.get('.manifest') ?? Buffer.from('{}')))
  files.set('.manifest', Buffer.from(JSON.stringify({ ...manifest, revision })))
  if (key) files.set(signaturesFile, await signFiles(files, key))
  return writeArchive(files)
}
