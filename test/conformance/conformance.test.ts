import { expect, test } from 'vitest'
import { vectorsFolder } from './suite.ts'
import { suites } from './suites.ts'

test.each(Object.entries(suites))('%s: nothing that must fail is accepted, and nothing fails', (name, suite) => {
  const result = suite(vectorsFolder([]))
  if (!result) {
    console.warn(`LEFT OUT: no vectors for ${name}; set INTERLOCK_VECTORS to where they lie`)
    return
  }
  expect(result.failed).toEqual([])
  expect(result.passed).toBeGreaterThan(100)
})
