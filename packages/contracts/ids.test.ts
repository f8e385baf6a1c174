import { expect, test } from 'vitest'
import { eventId, parseEventId } from './ids.ts'

test('an event id is read back into the position it was made from', () => {
  const position = { topic: 'decisions.identity-verify', partition: 3, offset: 1099511627776 }
  expect(parseEventId(eventId('delegation-check', position))).toEqual({ consumer: 'delegation-check', ...position })
})

test.each([
  ['', 'empty'],
  ['a:b:1', 'a part missing'],
  ['a:b:-1:0', 'a negative partition'],
  ['a:b:1:1e3', 'an offset that is no plain number'],
  ['a:b:1:1:1', 'a part too many'],
  ['a:b\n:1:1', 'a line break'],
  [`a:b:1:${'9'.repeat(16)}`, 'an offset beyond exact integers'],
])('refuses %j as an event id (%s)', (text) => {
  expect(parseEventId(text)).toBeUndefined()
})
