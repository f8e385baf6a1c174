import type { Outcome } from '@interlock/contracts'
import { describe, expect, it } from 'vitest'
import { refusalOf } from './refusal.ts'

const outcome = (detail: string, status: Outcome['status'] = 'denied') =>
  refusalOf({ status, stage: 'semantic-bounds', reasons: ['outside-grant'], detail } as Outcome)
const met = {
  parameter: 'power',
  asked: { value: '120', unit: 'W' },
  nearest: { value: '80', unit: 'W' },
  limitOf: 'grant',
}

describe('a refusal', () => {
  it('says what was asked, what would have been allowed, and whose limit it is', () => {
    expect(outcome(JSON.stringify({ ...met, more: 1 }))).toEqual({
      stage: 'semantic-bounds',
      reasons: ['outside-grant'],
      limit: met,
      detail: { ...met, more: 1 },
    })
  })

  it('of a device says it in the words that an ack has room for', () => {
    const words = { parameter: 'energy', asked: '600 J', nearest: '500 J', limitOf: 'machine' }
    expect(outcome(JSON.stringify(words), 'refused')).toMatchObject({ limit: words })
  })

  it.each([
    '',
    'no JSON',
    '[]',
    'null',
    '{"parameter":"power"}',
    JSON.stringify({ ...met, limitOf: 'nobody' }),
  ])('that is about something else has no limit: %s', (detail) =>
    expect(outcome(detail)).toMatchObject({ limit: undefined, reasons: ['outside-grant'] }))

  it('is none where the intent was completed', () => expect(outcome('{}', 'completed')).toBeUndefined())
})
