import type { RevocationEntry, StopEntry } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { firstRevoked, standingStop } from './standing.ts'

const agent = 'spiffe://lab.example/agent/a/1'
const concerned = { device: 'laser-1', jobId: 'job-1', agents: ['spiffe://lab.example/agent/o/1', agent], decidedAt: 1000 }
const stops = (scope: StopEntry['scope'], subject: string, state: StopEntry['state'], changedAt: number) =>
  new Map([[`${scope}:${subject}`, { scope, subject, state, changedAt, reason: '' }]])

test.each([
  ['all', ''],
  ['job', 'job-1'],
  ['device', 'laser-1'],
  ['agent', agent],
  ['agent', 'spiffe://lab.example/agent/o/1'],
] as const)('a stop of %s %s holds the order back, also where it was decided later', (scope, subject) => {
  expect(standingStop(concerned, stops(scope, subject, 'stopped', 1))?.reason).toBe('stopped')
  expect(standingStop(concerned, stops(scope, subject, 'stopped', 2000))?.reason).toBe('stopped')
})

test.each([
  ['job', 'job-2'],
  ['device', 'mill-1'],
  ['agent', 'spiffe://lab.example/agent/b/1'],
] as const)('a stop of %s %s does not', (scope, subject) => {
  expect(standingStop(concerned, stops(scope, subject, 'stopped', 2000))).toBeUndefined()
})

test('ATTACKS 97: what was decided before a stop was lifted never runs', () => {
  expect(standingStop(concerned, stops('all', '', 'lifted', 1000))?.reason).toBe('decided-before-lift')
  expect(standingStop(concerned, stops('all', '', 'lifted', 999))).toBeUndefined()
})

test('a revocation counts from its moment on, for exactly its subject', () => {
  const entry: RevocationEntry = { kind: 'agent', subject: agent, from: 500, reason: '' }
  const revocations = new Map([[`agent:${agent}`, entry]])
  expect(firstRevoked([['agent', agent]], revocations, 500)).toBe(entry)
  expect(firstRevoked([['agent', agent]], revocations, 499)).toBeUndefined()
  expect(firstRevoked([['human', agent]], revocations, 500)).toBeUndefined()
})
