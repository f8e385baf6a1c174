import { accepted, type ControlEntry, type ControlTable, refused } from '@interlock/contracts'
import { array, boolean, constantFrom, assert as fcAssert, integer, property, record } from 'fast-check'
import { expect, test } from 'vitest'
import type { LogRecord } from '../kafka-port.ts'
import { codec, outgoing } from '../simulation/facts.ts'
import { ControlTables } from './control-tables.ts'

type Trial = { id: string; revision: number; value: unknown; isForged?: boolean; keyId?: string }

function tried() {
  const parked: string[] = []
  const verify = (entry: ControlEntry) => {
    const { id, revision, value, isForged } = entry as unknown as Trial
    return isForged ? refused('control-bad-signature') : accepted({ id, revision, value })
  }
  const tables = new ControlTables(codec, verify, (_record, reason) => parked.push(reason))
  let offset = 0
  const take = (trial: Trial, key = trial.id, topic: ControlTable = 'control.stops') =>
    tables.take(logged(outgoing(topic, 0, key, trial as object)))
  const logged = (record: Omit<LogRecord, 'offset' | 'appendedAt' | 'expectedOffset'>): LogRecord => ({
    ...record,
    offset: offset++,
    appendedAt: 0,
    expectedOffset: undefined,
  })
  return { tables, take, logged, parked, value: (id: string) => tables.tables['control.stops'].get(id) as unknown }
}

test('keeps the highest revision of an id: an older entry, genuine as it is, does not come back (ATTACKS 78)', () => {
  const { take, value, parked } = tried()
  take({ id: 'all', revision: 2, value: 'stopped' })
  take({ id: 'all', revision: 1, value: 'running' })
  take({ id: 'all', revision: 2, value: 'running' })
  expect(value('all')).toBe('stopped')
  take({ id: 'all', revision: 3, value: 'lifted' })
  expect(value('all')).toBe('lifted')
  expect(parked).toEqual([])
})

test('a forged entry is parked and changes nothing, however high its revision', () => {
  const { take, value, parked } = tried()
  take({ id: 'all', revision: 1, value: 'stopped' })
  take({ id: 'all', revision: 9, value: 'running', isForged: true })
  expect(parked).toEqual(['control-bad-signature'])
  take({ id: 'all', revision: 2, value: 'lifted' })
  expect(value('all')).toBe('lifted')
})

test('an entry under another key would survive compaction beside the true one: it is parked', () => {
  const { take, value, parked } = tried()
  take({ id: 'all', revision: 1, value: 'running' }, 'another')
  expect(value('all')).toBeUndefined()
  expect(parked).toEqual(['control-other-key'])
})

test('a tombstone or bytes that are no entry change nothing', () => {
  const { tables, take, logged, value, parked } = tried()
  take({ id: 'all', revision: 1, value: 'stopped' })
  const of = { topic: 'control.stops', partition: 0, key: Buffer.from('all') }
  tables.take(logged({ ...of, value: null }))
  tables.take(logged({ ...of, value: Buffer.from('nothing') }))
  expect(value('all')).toBe('stopped')
  expect(parked).toEqual(['tombstone', 'undecodable'])
})

test('attack 134: each entry is itself verified: a table holds what the genuine ones alone would make', () => {
  const trials = array(record({ id: constantFrom('a', 'b', 'c'), revision: integer({ min: 1, max: 5 }), isForged: boolean() }), {
    maxLength: 40,
  })
  fcAssert(
    property(trials, (plan) => {
      const { take, value, parked } = tried()
      const newest = new Map<string, Trial>()
      for (const [at, trial] of plan.entries()) {
        const entry = { ...trial, value: String(at) }
        take(entry)
        if (!trial.isForged && trial.revision > (newest.get(trial.id)?.revision ?? 0)) newest.set(trial.id, entry)
      }
      for (const id of ['a', 'b', 'c']) expect(value(id)).toBe(newest.get(id)?.value)
      expect(parked).toHaveLength(plan.filter(({ isForged }) => isForged).length)
    }),
  )
})

test('attack 133: a revocation, once read, is not lifted by a feed that was rolled back', () => {
  const { take, value, parked } = tried()
  const feed = [1, 2, 3].map((revision) => ({ id: 'agent:x', revision, value: `from ${revision}` }))
  for (const trial of [...feed, ...feed]) take(trial)
  expect(value('agent:x')).toBe('from 3')
  expect(parked).toEqual([])
})

test('attack 158: what a revoked key signed counts no more, and what it signs then is parked; so is a revocation that is put off', () => {
  const { tables, take, parked } = tried()
  const ofKey = (from: number) => ({ kind: 'enforcer-key', subject: 'thief', from, reason: '' })
  const revocation = { id: 'enforcer-key:thief', revision: 1, value: ofKey(5), keyId: 'operator' }
  take({ id: 'instance:a', revision: 1, value: 'a', keyId: 'thief' }, 'instance:a', 'control.agents')
  expect(tables.tables['control.agents'].size).toBe(1)
  take(revocation, revocation.id, 'control.revocations')
  expect(tables.tables['control.agents'].size).toBe(0)
  take({ id: 'instance:a', revision: 2, value: 'a', keyId: 'thief' }, 'instance:a', 'control.agents')
  expect(tables.tables['control.agents'].size).toBe(0)
  take({ ...revocation, revision: 2, value: ofKey(6) }, revocation.id, 'control.revocations')
  expect(tables.tables['control.revocations'].get(revocation.id)).toMatchObject({ from: 5 })
  expect(parked).toEqual(['control-revoked-key', 'revocation-weakened'])
})
