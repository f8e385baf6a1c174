import { expect, test } from 'vitest'
import { vectorsFolder } from './suite.ts'
import { suites } from './suites.ts'

/** Small suites: fewer would mean that cases are not read any more. */
const atLeast: Readonly<Record<string, number>> = {
  'spire svids': 80,
  'webauthn l3': 20,
  'tpm event logs': 14,
  'wycheproof jwk': 21,
  'jose cookbook': 40,
  'oauth examples': 8,
  gcode: 229,
}

test.each(Object.entries(suites))('%s: nothing that must fail is accepted, and nothing fails', async (name, suite) => {
  const result = await suite(vectorsFolder([]))
  if (!result) {
    console.warn(`LEFT OUT: no vectors for ${name}; set INTERLOCK_VECTORS to where they lie`)
    return
  }
  expect(result.failed).toEqual([])
  expect(result.passed).toBeGreaterThanOrEqual(atLeast[name] ?? 100)
})
