import type { Order } from '@interlock/contracts'
import { buildOrder, createFixture } from '@interlock/sdk/fixture'
import { canonicalBytes } from '@interlock/trust'
import { beforeAll, expect, test } from 'vitest'
import { ownerIn } from './order.ts'

let order: Order
beforeAll(async () => {
  order = await buildOrder(await createFixture(Date.UTC(2026, 10, 24, 12)))
})

test('who answers for the agent is what identity-verify signed', () => expect(ownerIn(order)).toBe('alice'))

test.each<[string, (bytes: Buffer) => Buffer]>([
  ['another statement', (bytes) => canonicalBytes({ ...JSON.parse(bytes.toString('utf8')), obligations: { owner: 'mallory' } })],
  ['no statement', () => Buffer.from('hello')],
])('%s that was put in its place is not read', (_what, put) => {
  const [first, ...rest] = order.statements as [Order['statements'][number], ...Order['statements']]
  expect(ownerIn({ statements: [{ ...first, statement: put(first.statement) }, ...rest] })).toBe('')
})

test('nobody answers where identity-verify’s statement was left out', () => {
  expect(ownerIn({ statements: order.statements.slice(1) })).toBe('')
})
