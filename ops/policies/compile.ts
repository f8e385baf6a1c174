import { fileURLToPath } from 'node:url'
import { readBundle } from '@interlock/policy'
import { buildBundle, type Opa } from '@interlock/policy/opa'
import { regoDigests } from './bundle.ts'

export const folder = fileURLToPath(new URL('./', import.meta.url))

/** Compiles the Rego of this folder to WebAssembly. */
export const compilePolicy = (opa: Opa): Buffer => readBundle(buildBundle(opa, folder, Object.keys(regoDigests()))).wasm
