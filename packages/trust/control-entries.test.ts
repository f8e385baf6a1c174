import type { ControlTable, RevocationEntry, StopEntry } from '@interlock/contracts'
import { array, constantFrom, assert as fcAssert, integer, property, record } from 'fast-check'
import { describe, expect, it } from 'vitest'
import { ControlEntries } from './control-entries.ts'

const now = 1_790_000_000_000
const table = 'control.agents'
const value = (text: string) => ({ text })
const keyRevoked = (keyId: string, from = now): { id: string; revision: number; value: RevocationEntry } => ({
  id: `enforcer-key:${keyId}`,
  revision: now,
  value: { kind: 'enforcer-key', subject: keyId, from, reason: 'stolen' },
})
const stop = (revision: number, state: StopEntry['state']) => ({
  id: 'all:',
  revision,
  value: { scope: 'all', subject: '', state, changedAt: now, reason: '' } satisfies StopEntry,
})
const revocations = 'control.revocations'

it('a table is one and the same Map, which changes with what is taken', () => {
  const entries = new ControlEntries()
  const before = entries.values(table)
  entries.take(table, { id: 'a', revision: 1, value: value('one') }, 'registry')
  expect(entries.values(table)).toBe(before)
  expect(before.get('a')).toEqual(value('one'))
})

describe('attack 133: a revocation', () => {
  it('comes earlier, and never later', () => {
    const entries = new ControlEntries()
    const { id } = keyRevoked('k')
    const at = (revision: number, from: number) => entries.take(revocations, { ...keyRevoked('k', from), revision }, 'operator')
    const from = () => (entries.values(revocations).get(id) as RevocationEntry).from
    expect(at(1, now)).toBeUndefined()
    expect(at(2, now + 1)).toBe('revocation-weakened')
    expect(from()).toBe(now)
    expect(at(3, now - 1)).toBeUndefined()
    expect(from()).toBe(now - 1)
  })

  it('is not taken back by the key that it revokes, which revokes nobody else either', () => {
    const entries = new ControlEntries()
    entries.take(revocations, keyRevoked('thief'), 'operator')
    expect(entries.take(revocations, { ...keyRevoked('thief', now - 1), revision: now + 1 }, 'thief')).toBe('control-revoked-key')
    expect(entries.take(revocations, keyRevoked('operator'), 'thief')).toBe('control-revoked-key')
    expect(entries.values(revocations).size).toBe(1)
  })

  it('stays when the key that signed it is revoked', () => {
    const entries = new ControlEntries()
    entries.take(revocations, keyRevoked('first'), 'operator')
    entries.take(revocations, keyRevoked('operator'), 'other')
    expect(entries.values(revocations).size).toBe(2)
  })
})

describe('attack 158: the entries of a key that is revoked', () => {
  it('count no more, nor what it signs then, however high its revision; another key signs anew', () => {
    const entries = new ControlEntries()
    expect(entries.take(table, { id: 'a', revision: 5, value: value('thief') }, 'thief')).toBeUndefined()
    entries.take(revocations, keyRevoked('thief'), 'operator')
    expect(entries.values(table).has('a')).toBe(false)
    expect(entries.take(table, { id: 'a', revision: 2 ** 53 - 1, value: value('thief') }, 'thief')).toBe('control-revoked-key')
    expect(entries.values(table).has('a')).toBe(false)
    expect(entries.take(table, { id: 'a', revision: 6, value: value('anew') }, 'registry')).toBeUndefined()
    expect(entries.values(table).get('a')).toEqual(value('anew'))
    expect(entries.revisionOf(table, 'a')).toBe(6)
  })

  it('leave what another key said before', () => {
    const entries = new ControlEntries()
    entries.take(table, { id: 'a', revision: 1, value: value('true') }, 'registry')
    entries.take(table, { id: 'a', revision: 2, value: value('thief') }, 'thief')
    entries.take(revocations, keyRevoked('thief'), 'operator')
    expect(entries.values(table).get('a')).toEqual(value('true'))
  })

  it('hold a machine where they stop it, and lift nothing', () => {
    const entries = new ControlEntries()
    const state = () => (entries.values('control.stops').get('all:') as StopEntry).state
    entries.take('control.stops', stop(1, 'stopped'), 'operator')
    entries.take('control.stops', stop(2, 'lifted'), 'thief')
    entries.take(revocations, keyRevoked('thief'), 'operator')
    expect(state()).toBe('stopped')
    const other = new ControlEntries()
    other.take('control.stops', stop(1, 'stopped'), 'thief')
    other.take(revocations, keyRevoked('thief'), 'operator')
    expect((other.values('control.stops').get('all:') as StopEntry).state).toBe('stopped')
    expect(other.take('control.stops', stop(2, 'lifted'), 'operator')).toBeUndefined()
  })

  it('make the same tables after a restart, whichever table is read first', () => {
    const entry = record({
      id: constantFrom('a', 'b'),
      revision: integer({ min: 1, max: 4 }),
      by: constantFrom('thief', 'registry', 'other'),
    })
    fcAssert(
      property(array(entry, { maxLength: 20 }), integer({ min: 0, max: 20 }), (plan, at) => {
        const read = (revokedAt: number) => {
          const entries = new ControlEntries()
          for (const [place, { id, revision, by }] of plan.entries()) {
            if (place === revokedAt) entries.take(revocations, keyRevoked('thief'), 'operator')
            entries.take(table as ControlTable, { id, revision, value: value(`${place}`) }, by)
          }
          if (revokedAt >= plan.length) entries.take(revocations, keyRevoked('thief'), 'operator')
          return new Map(entries.values(table))
        }
        expect(read(at)).toEqual(read(0))
        expect(read(at)).toEqual(read(plan.length))
      }),
    )
  })
})
