import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { OrderJournal } from './journal.ts'
import type { JournalEntry } from './journal-entry.ts'

let directory: string
let path: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'interlock-journal-'))
  path = join(directory, 'orders.jsonl')
})
afterEach(() => rmSync(directory, { recursive: true }))

const begun = (intentId: string): JournalEntry => ({
  state: 'begun',
  intentId,
  jobId: 'job-1',
  orderDigest: 'o'.repeat(43),
  nonce: 'n'.repeat(43),
  at: 1,
  uses: {},
  answer: null,
})
const ended = (intentId: string): JournalEntry => ({
  ...begun(intentId),
  state: 'ended',
  answer: { status: 'completed', reason: '', measured: { cutMm: 1 } },
})

test('knows after a restart what it had begun (ATTACKS 94)', () => {
  const before = OrderJournal.open(path)
  before.enter(begun('a'))
  before.enter(begun('b'))
  before.enter(ended('b'))
  before.enter({ ...ended('c'), state: 'told' })
  before.close()
  const after = OrderJournal.open(path)
  expect(['a', 'b', 'c', 'd'].map((id) => after.hasBegun(id))).toEqual([true, true, true, false])
  expect(after.untold().map(({ intentId, state }) => `${intentId} ${state}`)).toEqual(['a begun', 'b ended'])
  after.close()
})

test('is on disk when enter returns', () => {
  const journal = OrderJournal.open(path)
  journal.enter(begun('a'))
  expect(JSON.parse(readFileSync(path, 'utf8'))).toEqual(begun('a'))
  journal.close()
})

test('drops a last line that a crash tore, and goes on behind it', () => {
  const before = OrderJournal.open(path)
  before.enter(begun('a'))
  before.close()
  appendFileSync(path, '{"state":"begun","intentId":"b"')
  const after = OrderJournal.open(path)
  expect(after.hasBegun('b')).toBe(false)
  after.enter(begun('c'))
  after.close()
  expect(OrderJournal.open(path).hasBegun('c')).toBe(true)
})

test('refuses to open where a whole line cannot be read', () => {
  writeFileSync(path, `${JSON.stringify(begun('a'))}\nedited\n${JSON.stringify(begun('b'))}\n`)
  expect(() => OrderJournal.open(path)).toThrow(/orders\.jsonl:2 is not a journal entry/)
})

test('takes no further entry after a write has failed', () => {
  const journal = OrderJournal.open(path)
  journal.close()
  expect(() => journal.enter(begun('a'))).toThrow()
  expect(() => journal.enter(begun('b'))).toThrow(/an earlier write/)
})

test('is readable by its owner alone', () => {
  OrderJournal.open(path).close()
  expect(statSync(path).mode & 0o077).toBe(0)
})
