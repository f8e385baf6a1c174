import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { z } from 'zod'

const folder = new URL('./', import.meta.url)

/** What the compiled module was made from; a test refuses a module that is not made from the Rego beside it. */
const manifestSchema = z.strictObject({
  revision: z.string(),
  /** Version of OPA that compiled it. */
  opa: z.string(),
  entrypoint: z.literal('interlock/bounds/decision'),
  /** SHA-256 of each Rego file, hex. */
  rego: z.record(z.string(), z.string()),
  /** SHA-256 of bounds.wasm, hex. */
  wasm: z.string(),
})
export type Manifest = z.infer<typeof manifestSchema>

export type PolicyBundle = { readonly revision: string; readonly wasm: Buffer; readonly data: Record<string, unknown> }

/** The module does not belong to its manifest: `npm run policy` compiles it anew. */
export class PolicyBundleError extends Error {
  readonly code = 'policy-bundle-stale'
  readonly retriable = false
}

/** The compiled policy of this repository. @throws PolicyBundleError */
export function readPolicyBundle(): PolicyBundle {
  const manifest = readManifest()
  const wasm = readFileSync(new URL('bounds.wasm', folder))
  if (sha256(wasm) !== manifest.wasm || JSON.stringify(regoDigests()) !== JSON.stringify(manifest.rego))
    throw new PolicyBundleError('ops/policies: bounds.wasm is not made from the Rego beside it. Run `npm run policy`.')
  return { revision: manifest.revision, wasm, data: JSON.parse(readFileSync(new URL('data.json', folder), 'utf8')) }
}

export const readManifest = (): Manifest =>
  manifestSchema.parse(JSON.parse(readFileSync(new URL('manifest.json', folder), 'utf8')))

/** Of the files that are compiled in: tests are not. */
export function regoDigests(): Record<string, string> {
  const files = readdirSync(folder).filter((name) => name.endsWith('.rego') && !name.endsWith('_test.rego'))
  return Object.fromEntries(files.sort().map((name) => [name, sha256(readFileSync(new URL(name, folder)))]))
}

export const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex')
