import { expect, test } from 'vitest'
import type { LogRecord, OutgoingRecord } from '../kafka-port.ts'
import { OwnWrites } from './own-writes.ts'

const written = (text: string): OutgoingRecord => ({ topic: 'out', partition: 0, key: null, value: Buffer.from(text) })
const logged = (offset: number, text: string): LogRecord => ({
  ...written(text),
  offset,
  appendedAt: 0,
  expectedOffset: undefined,
})
const ownWrites = (end = 5) => new OwnWrites(new Map([['out', end]]))

test('says with each answer where it must lie: after what was read and written', () => {
  expect(
    ownWrites()
      .expect([written('a'), written('b')])
      .map(({ expectedOffset }) => expectedOffset),
  ).toEqual([5, 6])
})

test('knows its own answers when they come back', () => {
  const own = ownWrites()
  expect(own.landed([written('a'), written('b')], [5, 6])).toBe(true)
  expect(own.endOf('out')).toBe(7)
  expect([own.readBack(logged(5, 'a')), own.readBack(logged(6, 'b'))]).toEqual(['ours', 'ours'])
})

test('an answer that came to lie elsewhere proves memory wrong', () => {
  expect(ownWrites().landed([written('a'), written('b')], [5, 7])).toBe(false)
})

test('other bytes in the place of an answer prove memory wrong', () => {
  const own = ownWrites()
  own.landed([written('a')], [5])
  expect(own.readBack(logged(5, 'x'))).toBe('diverged')
})

test('a record of another writer after ours is folded, one before our end proves memory wrong', () => {
  const own = ownWrites()
  expect(own.readBack(logged(5, 'x'))).toBe('foreign')
  expect(own.endOf('out')).toBe(6)
  expect(own.readBack(logged(4, 'x'))).toBe('diverged')
})

test('offsets without a record (a marker of a stranger’s transaction) move the end on, never back', () => {
  const own = ownWrites()
  own.readTo('out', 8)
  own.readTo('out', 6)
  expect(own.endOf('out')).toBe(8)
})

test('of an output that is read as a broadcast, the first record of an event must be ours', () => {
  const own = ownWrites()
  own.expectEvent('all', 'event-1', Buffer.from('a'))
  own.expectEvent('all', 'event-2', Buffer.from('a'))
  expect(own.readBackEvent('all', 'event-1', Buffer.from('a'))).toBe('ours')
  expect(own.readBackEvent('all', 'event-2', Buffer.from('x'))).toBe('diverged')
  expect(own.readBackEvent('all', 'event-3', Buffer.from('x'))).toBe('foreign')
  expect(own.readBackEvent('all', undefined, Buffer.from('x'))).toBe('foreign')
})
