/** `npm run policy`: tests the Rego, compiles it, and writes bounds.wasm with the manifest that says what it was made from. */
import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { type Manifest, regoDigests, sha256 } from './bundle.ts'
import { compilePolicy, opaVersion } from './compile.ts'

const folder = new URL('./', import.meta.url)
const version = opaVersion()
if (!version) {
  console.error(
    'npm run policy: there is no `opa` on the path. Install it: go install github.com/open-policy-agent/opa@v1.22.2 (or: brew install opa)',
  )
  process.exit(69)
}
const tests = spawnSync('opa', ['test', fileURLToPath(folder)], { stdio: 'inherit' })
if (tests.status !== 0) process.exit(1)
const wasm = compilePolicy()
const rego = regoDigests()
const revision = `bounds-${sha256(Buffer.from(JSON.stringify(rego))).slice(0, 12)}`
const manifest: Manifest = { revision, opa: version, entrypoint: 'interlock/bounds/decision', rego, wasm: sha256(wasm) }
writeFileSync(new URL('bounds.wasm', folder), wasm)
writeFileSync(new URL('manifest.json', folder), `${JSON.stringify(manifest, null, 2)}\n`)
console.log(`${revision}: bounds.wasm, ${wasm.length} bytes, by OPA ${version}`)
