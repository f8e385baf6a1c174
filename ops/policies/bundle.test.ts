import { findOpa, opaAdvice, testRego } from '@interlock/policy/opa'
import { describe, expect, it } from 'vitest'
import { readManifest, readPolicyBundle, regoDigests, sha256 } from './bundle.ts'
import { compilePolicy, folder } from './compile.ts'

const opa = findOpa()

describe('the compiled bounds policy', () => {
  it('is made from the Rego beside it', () => {
    expect(readManifest().rego).toEqual(regoDigests())
    expect(sha256(readPolicyBundle().wasm)).toBe(readManifest().wasm)
  })

  it('is what the same OPA compiles again, byte for byte', ({ skip }) => {
    if (opa?.version !== readManifest().opa) return skip(opaAdvice)
    expect(compilePolicy(opa).equals(readPolicyBundle().wasm)).toBe(true)
  })

  it('passes its own tests', ({ skip }) => {
    if (!opa) return skip(opaAdvice)
    expect(testRego(opa, folder)).toMatch(/^PASS: [1-9]/m)
  })
})
