import { expect, test } from 'vitest'
import { backoffMs } from './backoff.ts'
import { Outage } from './outage.ts'

test('says once that the broker is away, and once that it is back', () => {
  const said: string[] = []
  const outage = new Outage((event, dependency) => said.push(`${dependency} ${event}`))
  outage.back('kafka')
  for (let times = 0; times < 3; times += 1) outage.away('kafka', new Error('no answer'))
  expect(outage.isAway('kafka')).toBe(true)
  outage.away('registry', new Error('no answer'))
  for (let times = 0; times < 3; times += 1) outage.back('kafka')
  expect(outage.isAway('kafka')).toBe(false)
  expect(said).toEqual(['kafka away', 'registry away', 'kafka back'])
})

test('is back only when everybody who missed it has it back', () => {
  const said: string[] = []
  const outage = new Outage((event, dependency) => said.push(`${dependency} ${event}`))
  outage.away('kafka', new Error('no answer'), 'tables')
  outage.away('kafka', new Error('no answer'), 'inputs')
  outage.back('kafka', 'tables')
  expect(outage.isAway('kafka')).toBe(true)
  outage.back('kafka', 'inputs')
  expect(said).toEqual(['kafka away', 'kafka back'])
})

test('waits longer each time, and never longer than five seconds', () => {
  expect([0, 1, 2, 5, 6, 60].map(backoffMs)).toEqual([100, 200, 400, 3200, 5000, 5000])
})
