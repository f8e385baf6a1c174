import type { ControlStatement } from '@interlock/contracts'
import { signControlEntry } from '@interlock/trust'
import { beforeAll, describe, expect, it } from 'vitest'
import { createFixture, type Fixture } from '../fixture/index.ts'
import { ControlFold } from './control-reader.ts'

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
