/** `npm run policy`: tests the Rego, compiles it, and writes bounds.wasm with the manifest that says what it was made from. */
import { writeFileSync } from 'node:fs'
import { entrypoint } from '@interlock/policy'
import { findOpa, opaAdvice, testRego } from '@interlock/policy/opa'
import { type Manifest, regoDigests, sha256 } from './bundle.ts'
import { compilePolicy, folder } from './compile.ts'

const opa = findOpa()
if (!opa) {
  console.error(`npm run policy: there is no \`opa\` here. ${opaAdvice}`)
  process.exit(69)
}
console.log(testRego(opa, folder).trim())
const wasm = compilePolicy(opa)
const rego = regoDigests()
const revision = `bounds-${sha256(Buffer.from(JSON.stringify(rego))).slice(0, 12)}`
const manifest: Manifest = { revision, opa: opa.version, entrypoint, rego, wasm: sha256(wasm) }
writeFileSync(new URL('bounds.wasm', import.meta.url), wasm)
writeFileSync(new URL('manifest.json', import.meta.url), `${JSON.stringify(manifest, null, 2)}\n`)
console.log(`${revision}: bounds.wasm, ${wasm.length} bytes, by OPA ${opa.version}`)
