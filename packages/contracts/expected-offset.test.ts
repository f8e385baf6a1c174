import { expect, test } from 'vitest'
import { isInPlace, readExpectedOffset, writeExpectedOffset } from './expected-offset.ts'

test('says where an answer must lie, and reads it back', () => {
  expect(readExpectedOffset(writeExpectedOffset(0))).toBe(0)
  expect(readExpectedOffset({ 'interlock-offset': Buffer.from('12') })).toBe(12)
  expect(isInPlace(12, 12)).toBe(true)
  expect(isInPlace(13, 12)).toBe(false)
})

test('a record of which nothing was said lies where it lies', () => {
  expect(writeExpectedOffset(undefined)).toEqual({})
  expect(readExpectedOffset({})).toBeUndefined()
  expect(readExpectedOffset(undefined)).toBeUndefined()
  expect(isInPlace(3, undefined)).toBe(true)
})

test.each([
  ['-1'],
  ['1e3'],
  [''],
  ['12 '],
  ['9'.repeat(16)],
  [[Buffer.from('3'), Buffer.from('4')]],
])('a header that is no offset (%s) is in no place', (said) => {
  expect(isInPlace(3, readExpectedOffset({ 'interlock-offset': said }))).toBe(false)
})
