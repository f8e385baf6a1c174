import { expect, test } from 'vitest'
import type { LogRecord } from '../kafka-port.ts'
import { WaitingInputs } from './waiting-inputs.ts'

const record = (offset: number): LogRecord => ({
  topic: 'acks',
  partition: 0,
  offset,
  key: null,
  value: null,
  appendedAt: 0,
  expectedOffset: undefined,
})
const turn = () => new Promise<void>((resolve) => setImmediate(resolve))

function tried() {
  let asked = 0
  let woken = 0
  const waiting = new WaitingInputs(
    async () => {
      asked += 1
      return new Map([
        ['orders', 4],
        ['acks', 99],
      ])
    },
    () => {
      woken += 1
    },
    (error) => {
      throw error
    },
  )
  return { waiting, asked: () => asked, woken: () => woken }
}

test('an input waits until the other logs are read to the ends they had when it was in hand', async () => {
  const { waiting, asked, woken } = tried()
  waiting.put('acks', [record(7), record(8)])
  expect(waiting.isAllRead(record(7), new Map([['orders', 9]]))).toBe(false)
  await turn()
  expect([asked(), woken()]).toEqual([1, 1])
  expect(waiting.isAllRead(record(7), new Map([['orders', 3]]))).toBe(false)
  expect(waiting.isAllRead(record(7), new Map([['orders', 4]]))).toBe(true)
})

test('one question to the broker does for all that was in hand, and a later input asks anew', async () => {
  const { waiting, asked } = tried()
  waiting.put('acks', [record(7), record(8)])
  await turn()
  waiting.put('acks', [record(8), record(9)])
  await turn()
  expect(asked()).toBe(1)
  expect(waiting.isAllRead(record(8), new Map([['orders', 4]]))).toBe(true)
  expect(waiting.isAllRead(record(9), new Map([['orders', 4]]))).toBe(false)
  waiting.put('acks', [record(9)])
  await turn()
  expect(asked()).toBe(2)
  expect(waiting.isAllRead(record(9), new Map([['orders', 4]]))).toBe(true)
})

test('nothing waits when all was answered', () => {
  const { waiting } = tried()
  waiting.put('acks', [record(7)])
  expect(waiting.records('acks')).toHaveLength(1)
  waiting.put('acks', [])
  expect(waiting.records('acks')).toHaveLength(0)
})
