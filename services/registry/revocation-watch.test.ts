import type { Alert, RevocationEntry } from '@interlock/contracts'
import { ControlFold } from '@interlock/sdk'
import { createFixture, type Fixture } from '@interlock/sdk/fixture'
import { signControlEntry } from '@interlock/trust'
import { beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { Alerts } from './alerts.ts'
import { RevocationWatch } from './revocation-watch.ts'

const now = Date.UTC(2026, 10, 24, 12)
const table = 'control.revocations'
const revoked = (from: number): RevocationEntry => ({ kind: 'agent', subject: 'spiffe://a/agent/b/c', from, reason: 'test' })
const id = 'agent:spiffe://a/agent/b/c'

let fixture: Fixture
let watch: RevocationWatch
let fold: ControlFold
beforeAll(async () => {
  fixture = await createFixture(now)
})
beforeEach(() => {
  watch = new RevocationWatch()
  fold = new ControlFold(fixture.codec, fixture.trust.anchors)
})

const entry = async (revision: number, value = revoked(now)): Promise<Buffer> => {
  const statement = { table, id, revision, updatedAt: now, value } as const
  return fixture.codec.encode(table, await signControlEntry(statement, fixture.key('operator-dev')))
}
/** As the registry reads the topic: what the fold does not take goes to the watch. */
function read(bytes: Buffer | null, offset: string): string | undefined {
  const reason = fold.take(table, bytes)
  return reason && watch.ignored(table, offset, reason)?.rule
}

describe('attack 133: a revocation that is made to count no more', () => {
  it('by an older entry written again: it changes nothing, and a human hears of it', async () => {
    expect(read(await entry(2), '0')).toBeUndefined()
    expect(read(await entry(1, revoked(now + 1e12)), '1')).toBe('revocation-removed')
    expect(fold.table(table).get(id)?.from).toBe(now)
  })

  it('by a record that deletes it', async () => {
    read(await entry(2), '0')
    expect(read(null, '1')).toBe('revocation-removed')
    expect(fold.table(table).has(id)).toBe(true)
  })

  it('by a newer entry that puts it off: it changes nothing, and a human hears of it', async () => {
    read(await entry(2), '0')
    expect(read(await entry(3, revoked(now + 1e12)), '1')).toBe('revocation-weakened')
    expect(fold.table(table).get(id)?.from).toBe(now)
    expect(read(await entry(3, revoked(now - 1)), '2')).toBeUndefined()
    expect(fold.table(table).get(id)?.from).toBe(now - 1)
  })

  it.each([
    ['cut off at its end', { low: 0, high: 9 }],
    ['cut off at its beginning', { low: 3, high: 10 }],
    ['made anew', { low: 0, high: 0 }],
  ])('by a topic that was %s; said once', (_how, ends) => {
    expect(watch.ends({ low: 0, high: 10 })).toBeUndefined()
    expect(watch.ends(ends)).toMatchObject({ rule: 'revocations-rolled-back', severity: 'critical' })
    expect(watch.ends({ ...ends, high: ends.high + 1 })).toBeUndefined()
  })

  it('a repeated record, a first one, a topic that grows, and another table are nothing to tell', async () => {
    read(await entry(2), '0')
    expect(read(await entry(2), '1')).toBeUndefined()
    expect(watch.ends({ low: 0, high: 2 })).toBeUndefined()
    expect(watch.ends({ low: 0, high: 5 })).toBeUndefined()
    expect(watch.ignored('control.agents', '4', 'tombstone')).toBeUndefined()
  })
})

describe('an alert', () => {
  it('is raised once for one occasion, with the same id after a restart, and again where it could not be recorded', async () => {
    const written: Alert[] = []
    let isAway = true
    const write = async (alert: Alert) => {
      if (isAway) throw new Error('away')
      written.push(alert)
    }
    const finding = new RevocationWatch().ends({ low: 3, high: 10 })
    if (!finding) throw new Error('nothing was found')
    const alerts = new Alerts(write, () => now)
    await expect(alerts.raise(finding)).rejects.toThrow('away')
    isAway = false
    await alerts.raise(finding)
    await alerts.raise(finding)
    await new Alerts(write, () => now + 1).raise(finding)
    expect(written).toHaveLength(2)
    expect(written[0]?.alertId).toBe(written[1]?.alertId)
    await alerts.raise({ ...finding, occasion: 'another' })
    expect(new Set(written.map(({ alertId }) => alertId)).size).toBe(2)
  })
})
