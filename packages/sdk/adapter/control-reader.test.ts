import type { ControlStatement } from '@interlock/contracts'
import { signControlEntry } from '@interlock/trust'
import { beforeAll, describe, expect, it } from 'vitest'
import { createFixture, type Fixture } from '../fixture/index.ts'
import { ControlFold, ReadOffsets } from './control-reader.ts'

const now = Date.UTC(2026, 10, 24, 12)
let fixture: Fixture
beforeAll(async () => {
  fixture = await createFixture(now)
})

const revoked = { kind: 'agent' as const, subject: 'spiffe://lab.interlock.example/agent/a/b', from: now, reason: 'test' }
async function entry(change: Partial<ControlStatement> = {}, by = 'operator-dev') {
  const statement = {
    table: 'control.revocations',
    id: `agent:${revoked.subject}`,
    revision: 2,
    updatedAt: now,
    value: revoked,
    ...change,
  } as ControlStatement
  return fixture.codec.encode(statement.table, await signControlEntry(statement, fixture.key(by)))
}
const fold = () => new ControlFold(fixture.codec, fixture.trust.anchors)

describe('a control table, as a device reads it', () => {
  it('attack 133: an older entry that is played back changes nothing: a revocation stays', async () => {
    const table = fold()
    expect(table.take('control.revocations', await entry())).toBeUndefined()
    for (const [revision, reason] of [
      [1, 'older'],
      [2, 'repeated'],
    ] as const) {
      const lifted = await entry({ revision, value: { ...revoked, from: now + 1e12 } })
      expect(table.take('control.revocations', lifted)).toBe(reason)
    }
    expect(table.take('control.revocations', null)).toBe('tombstone')
    expect(table.table('control.revocations').get(`agent:${revoked.subject}`)).toMatchObject({ from: now })
  })

  it('attack 158: a key that is revoked signs nothing that counts, and does not take its revocation back', async () => {
    const table = fold()
    const { keyId } = fixture.key('operator-dev')
    const value = { kind: 'enforcer-key' as const, subject: keyId, from: now, reason: 'stolen' }
    const ofKey = { id: `enforcer-key:${keyId}`, value }
    expect(table.take('control.revocations', await entry(ofKey))).toBeUndefined()
    expect(table.take('control.revocations', await entry({ ...ofKey, revision: 3 }))).toBe('control-revoked-key')
    const policy = {
      ...{ table: 'control.policies' as const, id: 'decision-point', revision: 9 },
      value: { kind: 'decision-point', revision: 'r', state: 'retired', url: 'https://pdp.example/', timeoutMs: 100 },
    }
    expect(table.take('control.policies', await entry(policy))).toBe('control-revoked-key')
    expect(table.table('control.policies').size).toBe(0)
  })

  const partner = { kind: 'partner' as const, trustDomain: 'partner.example', roots: [], refreshedAt: now, expiresAt: now + 1 }
  it.each([
    ['service-registry', undefined],
    ['service-token', 'control-wrong-role'],
    ['operator-dev', 'control-wrong-role'],
    ['identity-verify', 'control-wrong-role'],
  ])('attack 9: a partner’s roots are the registry’s to write: by %s', async (by, reason) => {
    const bytes = await entry({ table: 'control.federation', id: 'partner.example', value: partner }, by)
    expect(fold().take('control.federation', bytes)).toBe(reason)
  })
})

it('attack 133: a reader that joins anew and begins at the start tells of no record twice: an entry replaced long ago is no attempt', () => {
  const read = new ReadOffsets()
  const offsets = (from: bigint, to: bigint) =>
    Array.from({ length: Number(to - from) }, (_, at) => read.isNew('control.revocations', 0, from + BigInt(at)))
  expect(offsets(0n, 3n)).toEqual([true, true, true])
  expect(offsets(0n, 5n)).toEqual([false, false, false, true, true])
  expect(read.isNew('control.agents', 0, 0n)).toBe(true)
})
