import { expect, test } from 'vitest'
import { memoryFrom, planInput, planMemory, writeAppendedAt } from './restore-plan.ts'

const log = { range: { low: 10, high: 50 }, atHorizon: 30 }
const committed = (offset: number, metadata = '') => ({ offset, metadata })

test('an input is observed from the horizon on and answered from the committed offset on', () => {
  expect(planInput(log, committed(40))).toEqual({ from: 30, end: 40, high: 50 })
})

test('an input that was not committed for longer than the horizon is read from there', () => {
  expect(planInput(log, committed(20))).toEqual({ from: 20, end: 20, high: 50 })
})

test('where nothing was committed, everything is to be answered', () => {
  expect(planInput(log, undefined)).toEqual({ from: 10, end: 10, high: 50 })
})

test('where retention has passed the committed offset, what is left is answered', () => {
  expect(planInput(log, committed(3))).toEqual({ from: 10, end: 10, high: 50 })
})

test('a committed offset beyond the end (the topic was made anew) is the end', () => {
  expect(planInput(log, committed(90))).toEqual({ from: 30, end: 50, high: 50 })
})

test('memory is read from the horizon to the end it has now', () => {
  expect(planMemory(log)).toEqual({ from: 30, end: 50, high: 50 })
})

test('memory reaches back from now while the service answers', () => {
  const now = 10_000_000
  expect(memoryFrom(now, 1_000_000, [committed(1, writeAppendedAt(now))])).toBe(now - 60_000 - 1_000_000)
})

test('after an absence, memory reaches back from the last committed input: what was open then must still expire', () => {
  expect(memoryFrom(100_000_000, 1_000_000, [committed(1, writeAppendedAt(5_000_000))])).toBe(5_000_000 - 60_000 - 1_000_000)
})

test('all is read where one input was never committed, or its commit says nothing', () => {
  expect(memoryFrom(100_000_000, 1000, [committed(1, writeAppendedAt(99_000_000)), undefined])).toBe(0)
  expect(memoryFrom(100_000_000, 1000, [committed(1, 'appendedAt=-1')])).toBe(0)
})
