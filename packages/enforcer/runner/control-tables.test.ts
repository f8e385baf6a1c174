import { accepted, type ControlEntry, refused } from '@interlock/contracts'
import { expect, test } from 'vitest'
import type { LogRecord } from '../kafka-port.ts'
import { codec, outgoing } from '../simulation/facts.ts'
import { ControlTables } from './control-tables.ts'

type Trial = { id: string; revision: number; value: string; isForged?: boolean }

function tried() {
  const parked: string[] = []
  const verify = (entry: ControlEntry) => {
    const { id, revision, value, isForged } = entry as unknown as Trial
    return isForged ? refused('control-bad-signature') : accepted({ id, revision, value })
  }
  const tables = new ControlTables(codec, verify, (_record, reason) => parked.push(reason))
  let offset = 0
  const take = (trial: Trial, key = trial.id) => tables.take(logged(outgoing('control.stops', 0, key, trial as object)))
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
