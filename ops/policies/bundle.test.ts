import { spawnSync } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { readManifest, readPolicyBundle, regoDigests, sha256 } from './bundle.ts'
import { compilePolicy, opaVersion } from './compile.ts'

const opa = opaVersion()

describe('the compiled bounds policy', () => {
  it('is made from the Rego beside it', () => {
    expect(readManifest().rego).toEqual(regoDigests())
    expect(sha256(readPolicyBundle().wasm)).toBe(readManifest().wasm)
  })

  it.skipIf(opa !== readManifest().opa)('is what the same OPA compiles again, byte for byte', () => {
    expect(compilePolicy().equals(readPolicyBundle().wasm)).toBe(true)
  })

  it.skipIf(opa === undefined)('passes its own tests', () => {
    const { status, stdout } = spawnSync('opa', ['test', fileURLToPath(new URL('./', import.meta.url))], { encoding: 'utf8' })
    expect(stdout).toMatch(/^PASS: [1-9]/m)
    expect(status).toBe(0)
  })
})
