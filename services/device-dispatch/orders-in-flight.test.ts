import type { ReceiptStatement } from '@interlock/contracts'
import { expect, test } from 'vitest'
import { OrdersInFlight } from './orders-in-flight.ts'

const receipt = (status: string, orderDigest = 'order'): ReceiptStatement => ({
  stage: 'device-dispatch',
  eventId: '',
  intentId: 'intent',
  jobId: 'job',
  orderDigest,
  result: 'verified',
  status,
  reasons: [],
  ack: '',
  decidedAt: 1,
})
const facts = (said: string, clock: number, resetCount = 1, restartCount = 0) => ({
  said,
  tpm: { signer: 'key', counters: { clock, resetCount, restartCount } },
})

test('receipts may be read in any order: the last word stays, the highest counters are the last', () => {
  const memory = new OrdersInFlight()
  memory.addReceipt(receipt('completed'), facts('done', 200))
  memory.addReceipt(receipt('accepted'), facts('begun', 100))
  expect(memory.wordOn('order')).toMatchObject({ state: 'closed', said: 'done' })
  expect(memory.counters('key')?.clock).toBe(200)
  memory.addReceipt(receipt('accepted', 'other'), facts('begun', 50, 2))
  memory.addReceipt(receipt('accepted', 'third'), facts('begun', 900, 1, 9))
  expect(memory.counters('key')).toEqual({ clock: 50, resetCount: 2, restartCount: 0 })
})

test('keeps an open order however old, and forgets a closed one', () => {
  const memory = new OrdersInFlight()
  const order = {
    jobId: 'job',
    device: 'd',
    nonce: '',
    position: { topic: 'dispatch', partition: 0, offset: 0 },
    beginBy: 10,
    endBy: 20,
  }
  memory.addOrder({ ...order, owner: 'alice', intentId: 'intent', orderDigest: 'order' })
  memory.addOrder({ ...order, owner: 'alice', intentId: 'open', orderDigest: 'open' })
  memory.addReceipt(receipt('completed'), facts('done', 1))
  memory.forget(100 * 3_600_000)
  expect(memory.get('intent')).toBeUndefined()
  expect(memory.get('open')).toBeDefined()
})
