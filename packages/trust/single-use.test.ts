import { expect, it } from 'vitest'
import { SingleUse } from './single-use.ts'

it('takes an id of an owner once, until it is over', () => {
  const used = new SingleUse()
  expect(used.take('a', '1', 100, 1)).toBe(true)
  expect(used.take('a', '1', 100, 99)).toBe(false)
  expect(used.take('a', '2', 100, 99)).toBe(true)
  expect(used.take('b', '1', 100, 99)).toBe(true)
  expect(used.take('a', '1', 200, 101)).toBe(true)
})

it('attack 58: when it is full it takes nothing new, and forgets only what is over', () => {
  const used = new SingleUse({ all: 2, owner: 2 })
  used.take('a', '1', 100, 1)
  used.take('b', '1', 200, 1)
  expect(used.take('c', '1', 300, 50)).toBe(false)
  expect(used.take('a', '1', 300, 50)).toBe(false)
  expect(used.take('c', '1', 300, 150)).toBe(true)
  expect(used.take('b', '1', 300, 150)).toBe(false)
})

it('one owner does not fill it for the others', () => {
  const used = new SingleUse({ all: 100, owner: 2 })
  expect([1, 2, 3].map((id) => used.take('a', String(id), 100, 1))).toEqual([true, true, false])
  expect(used.take('b', '1', 100, 1)).toBe(true)
  expect(used.take('a', '4', 300, 101)).toBe(true)
})
