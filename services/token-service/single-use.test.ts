import { expect, it } from 'vitest'
import { SingleUse } from './single-use.ts'

it('takes an id once, until it is over', () => {
  const used = new SingleUse()
  expect(used.take('a', 100, 1)).toBe(true)
  expect(used.take('a', 100, 99)).toBe(false)
  expect(used.take('b', 100, 99)).toBe(true)
})

it('attack 58: when it is full it takes nothing new, and forgets only what is over', () => {
  const used = new SingleUse(2)
  used.take('a', 100, 1)
  used.take('b', 200, 1)
  expect(used.take('c', 300, 50)).toBe(false)
  expect(used.take('a', 300, 50)).toBe(false)
  expect(used.take('c', 300, 150)).toBe(true)
  expect(used.take('b', 300, 150)).toBe(false)
})
