import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { PolicyModule } from '@interlock/policy'
import { findOpa, opaAdvice } from '@interlock/policy/opa'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { readPolicyBundle } from './bundle.ts'
import { type OpaServer, startOpaServer } from './opa-server.ts'

const opa = findOpa()
const { wasm, data } = readPolicyBundle()
const loaded = PolicyModule.load(wasm, data)
const directory = mkdtempSync(join(tmpdir(), 'interlock-opa-'))

/** Numbers around every limit of the policy, and any others; then what a broken or hostile caller would write in their place. */
const number = fc.oneof(
  fc.constantFrom(0, 1, 19.999, 20, 20.001, 3600, 3600.5, 16_000, 16_000.001, -1, 1e-7, 2 ** 53),
  fc.double({ noNaN: true, noDefaultInfinity: true }),
  fc.integer(),
)
const anything = fc.oneof(number, fc.jsonValue({ maxDepth: 2 }))
const request = fc.record(
  {
    capability: fc.oneof(fc.constantFrom('laser.cut', 'mill.run-program'), anything),
    device: fc.string(),
    risk: fc.oneof(fc.constantFrom('low', 'medium', 'high'), anything),
    quantities: fc.oneof(fc.record({ power: anything, speed: anything, spindle: anything }, { requiredKeys: [] }), anything),
    program: fc.oneof(fc.constant(null), fc.record({ seconds: anything }), anything),
  },
  { requiredKeys: [] },
)

describe('the same Rego in OPA’s own server', () => {
  let server: OpaServer | undefined
  beforeAll(async () => {
    if (opa) server = await startOpaServer(opa, directory)
  })
  afterAll(async () => {
    await server?.stop()
    rmSync(directory, { recursive: true })
  })

  it('says what our module says, of whatever it is asked', async ({ skip }) => {
    if (!server || !loaded.ok) return skip(opaAdvice)
    const seen = new Set<string>()
    await fc.assert(
      fc.asyncProperty(request, async (input) => {
        const ours = loaded.value.evaluate(input)
        const theirs = await server?.ask(input)
        seen.add(JSON.stringify(theirs))
        expect(ours).toEqual({ ok: true, value: theirs })
      }),
      { numRuns: 1000 },
    )
    // Else the inputs would show nothing.
    expect(seen.size).toBeGreaterThan(6)
  })
})
