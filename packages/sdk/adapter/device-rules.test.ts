import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DeviceEntry } from '@interlock/contracts'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { deviceEntry } from '../trust-domain/laboratory.ts'
import { isFree, isReady } from './device-rules.ts'
import { OrderJournal } from './journal.ts'
import type { JournalEntry } from './journal-entry.ts'

const now = Date.UTC(2026, 10, 24, 12)
const laser = deviceEntry('laser-1', { attestationKey: 'AA', pcrs: [0], pcrDigest: '' }, now)

let directory: string
let journal: OrderJournal
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'interlock-rules-'))
  journal = OrderJournal.open(join(directory, 'orders.jsonl'))
})
afterEach(() => {
  journal.close()
  rmSync(directory, { recursive: true })
})

/** The device's process dies and comes back. */
function restart(): void {
  journal.close()
  journal = OrderJournal.open(join(directory, 'orders.jsonl'))
}

const used = (intentId: string, at: number, joules: string, jobId = 'job-1') => {
  const entry: JournalEntry = {
    state: 'begun',
    intentId,
    jobId,
    orderDigest: 'o'.repeat(43),
    nonce: 'n'.repeat(43),
    at,
    uses: { energy: { value: joules, unit: 'J' } },
    answer: null,
  }
  journal.enter(entry)
  return entry
}
const asked = (joules: string, at = now) => ({
  jobId: 'job-1',
  capability: 'laser.cut',
  uses: { energy: { value: joules, unit: 'J' } },
  now: at,
})
const reasonOf = (result: ReturnType<typeof isFree> | ReturnType<typeof isReady>) => (result.ok ? 'ok' : result.reason)
const free = (profile: Partial<DeviceEntry>, joules = '1', at = now) =>
  isFree({ ...laser, ...profile }, asked(joules, at), journal.use)

describe('rates of a device, over all jobs', () => {
  const count = { rates: [{ per: 'device' as const, of: 'count' as const, max: '2', unit: '1', windowMs: 5000 }] }
  const energy = { rates: [{ per: 'device' as const, of: 'energy' as const, max: '5', unit: 'kJ', windowMs: 60_000 }] }

  test('attack 72: jobs add up, over a restart of the device, until the window is over', () => {
    used('a', now - 1000, '1', 'job-1')
    expect(reasonOf(free(count))).toBe('ok')
    used('b', now - 500, '1', 'job-2')
    restart()
    expect(free(count)).toMatchObject({ reason: 'rate-exceeded', detail: { nearest: { value: '0' }, limitOf: 'machine' } })
    expect(reasonOf(free(count, '1', now + 4000))).toBe('rate-exceeded')
    expect(reasonOf(free(count, '1', now + 4300))).toBe('ok')
  })

  test('attack 72: two legal amounts whose sum is illegal', () => {
    used('a', now - 1000, '4500', 'job-2')
    expect(free(energy, '501')).toMatchObject({ reason: 'rate-exceeded', detail: { nearest: { value: '500', unit: 'J' } } })
    expect(reasonOf(free(energy, '500'))).toBe('ok')
  })

  test('what a rate limits and the order does not measure is refused', () => {
    const rates = [{ per: 'device' as const, of: 'dose' as const, max: '1', unit: 'Gy', windowMs: 60_000 }]
    expect(reasonOf(free({ rates }))).toBe('rate-unmeasured')
  })

  test('a job’s own rates are not the device’s to check', () => {
    used('a', now, '9000')
    expect(reasonOf(free({ rates: [{ per: 'job', of: 'energy', max: '1', unit: 'J', windowMs: 60_000 }] }))).toBe('ok')
  })
})

describe('exclusive use', () => {
  const exclusive = { exclusiveForMs: 5000 }

  test('one job holds the machine, over a restart, until it has left it alone for long enough', () => {
    const other = used('a', now - 9000, '1', 'job-2')
    journal.enter({ ...other, state: 'ended', at: now - 1, answer: { status: 'completed', reason: '', measured: {} } })
    restart()
    const nearest = new Date(now + 4999).toISOString()
    expect(free(exclusive)).toMatchObject({ reason: 'device-held', detail: { nearest, limitOf: 'machine' } })
    expect(reasonOf(free(exclusive, '1', now + 4999))).toBe('ok')
  })

  test('the job that holds it goes on, and one that was refused holds nothing', () => {
    used('a', now, '1', 'job-1')
    expect(reasonOf(free(exclusive))).toBe('ok')
    const refused = { status: 'refused' as const, reason: 'stopped', measured: {} }
    journal.enter({
      ...used('b', now - 9000, '1', 'job-1'),
      intentId: 'c',
      jobId: 'job-2',
      state: 'ended',
      at: now,
      answer: refused,
    })
    expect(reasonOf(free(exclusive))).toBe('ok')
  })
})

describe('a machine is not ready', () => {
  const cut = { ...laser.capabilities['laser.cut'], modes: ['production'] } as DeviceEntry['capabilities'][string]
  test.each([
    ['without an entry in control.devices', undefined, 'device-unknown'],
    ['for a capability that its entry does not have', { ...laser, capabilities: {} }, 'device-unknown'],
    ['while it is suspended', { ...laser, state: 'suspended' as const }, 'device-not-active'],
    ['in another mode', { ...laser, mode: 'setup', capabilities: { 'laser.cut': cut } }, 'mode-not-allowed'],
    ['in maintenance', { ...laser, maintenance: [{ from: now, until: now + 1 }] }, 'device-in-maintenance'],
    [
      'where maintenance begins before it would be done',
      { ...laser, maintenance: [{ from: now + 59_999, until: now + 99_999 }] },
      'device-in-maintenance',
    ],
  ])('%s', (_when, profile, reason) => expect(reasonOf(isReady(profile, asked('1')))).toBe(reason))

  test('and is in its mode, with maintenance after it', () => {
    const profile = {
      ...laser,
      mode: 'production',
      capabilities: { 'laser.cut': cut },
      maintenance: [{ from: now + 60_000, until: now + 99_999 }],
    }
    expect(reasonOf(isReady(profile, asked('1')))).toBe('ok')
  })
})
