import type { AgentEntry, RevocationEntry } from '@interlock/contracts'
import { describe, expect, it } from 'vitest'
import { actorRefusal } from './agent-standing.ts'

const now = 1_790_000_000_000
const guestHash = 'G'.repeat(43)
const definition = (name: string, hash: string, state = 'active') => ({ kind: 'definition', name, hash, state, owner: 'alice' })
const instance = (spiffeId: string) => ({ kind: 'instance', spiffeId, definition: 'guest', state: 'active', appraisedAt: now })
const tablesOf = (entries: readonly { readonly kind: string }[], revocations: readonly [string, RevocationEntry][] = []) => ({
  agents: new Map(
    entries.map((entry) => {
      const { kind, name, spiffeId } = entry as { kind: string; name?: string; spiffeId?: string }
      return [`${kind}:${name ?? spiffeId}`, entry as unknown as AgentEntry]
    }),
  ),
  revocations: new Map(revocations),
})

describe.each([
  'spiffe://partner.example/agent/cutter/1',
  'spiffe://partner.example/ns/prod/sa/cutter',
])('attack 9: a partner’s agent %s, admitted as guest,', (id) => {
  const cutter = definition('cutter', 'C'.repeat(43))
  it('counts while guest does', () => {
    expect(actorRefusal(id, tablesOf([instance(id), definition('guest', guestHash)]), now)).toBeUndefined()
  })
  it('falls with guest, whatever became of the definition that its path would name', () => {
    const suspended = tablesOf([instance(id), definition('guest', guestHash, 'suspended'), cutter])
    expect(actorRefusal(id, suspended, now)).toBe('definition-not-active')
    expect(actorRefusal(id, tablesOf([instance(id), cutter]), now)).toBe('definition-unknown')
    const revocation: RevocationEntry = { kind: 'definition', subject: guestHash, from: now, reason: '' }
    const revoked = tablesOf([instance(id), definition('guest', guestHash), cutter], [[`definition:${guestHash}`, revocation]])
    expect(actorRefusal(id, revoked, now)).toBe('revoked')
  })
})

it.each([
  'spiffe://partner.example/operator/dev',
  'spiffe://partner.example/service/registry',
])('attack 8: %s is no agent, whatever an entry says', (id) =>
  expect(actorRefusal(id, tablesOf([instance(id), definition('guest', guestHash)]), now)).toBe('not-an-agent'))
