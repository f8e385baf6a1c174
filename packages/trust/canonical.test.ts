import fc from 'fast-check'
import { expect, test } from 'vitest'
import { canonicalBytes, parseCanonical } from './canonical.ts'

const limits = { bytesMax: 1000, depthMax: 8 }
const reasonOf = (text: string) => {
  const result = parseCanonical(Buffer.from(text), limits)
  return result.ok ? 'accepted' : result.reason
}

test('what was made canonical is read back, member by member', () => {
  fc.assert(
    fc.property(fc.jsonValue({ maxDepth: 4, noUnicodeString: false }), (value) => {
      const bytes = canonicalBytes(value)
      const result = parseCanonical(bytes, { bytesMax: 1_000_000, depthMax: 64 })
      expect(result.ok && canonicalBytes(result.value)).toEqual(bytes)
    }),
  )
})

test.each([
  ['{"a":1,"a":2}', 'a duplicate member (ATTACKS 54)'],
  ['{"b":1,"a":2}', 'members out of order'],
  ['{ "a":1}', 'white space'],
  ['{"a":1.0}', 'another spelling of a number'],
  ['{"a":1e400}', 'a number no double holds (ATTACKS 64)'],
  ['{"a":9007199254740993}', 'an integer no double holds (ATTACKS 64)'],
  ['{"a":-0}', 'minus zero'],
  ['{"a":"\\u0041"}', 'an escape nobody needs'],
  ['{"a":"\\ud800"}', 'a lone surrogate'],
  ['\ufeff{}', 'a byte order mark'],
  ['{"a":1}x', 'bytes behind the value'],
  ['', 'nothing'],
])('refuses %j as canonical: %s', (text) => {
  expect(reasonOf(text)).toBe('not-canonical')
})

test('refuses by size and depth before it parses', () => {
  expect(reasonOf(`"${'a'.repeat(1000)}"`)).toBe('too-large')
  expect(reasonOf('['.repeat(9) + ']'.repeat(9))).toBe('too-deep')
  expect(reasonOf('"[[[[[[[[[[[["')).toBe('accepted')
})

test('throws for what JSON cannot say', () => {
  for (const value of [Number.NaN, Number.POSITIVE_INFINITY, { a: Number.NaN }, '\ud800', undefined])
    expect(() => canonicalBytes(value)).toThrow()
})
