import { expect, test } from 'vitest'
import { parseSpiffeId, roleOf } from './spiffe-id.ts'

const roleOfText = (text: string) => {
  const parsed = parseSpiffeId(text)
  return parsed.ok ? roleOf(parsed.value) : undefined
}

test.each([
  'spiffe://LAB.example/agent/a/b',
  'spiffe://lab.example/a/../b',
  'spiffe://lab.example/a/%2e%2e/b',
  'spiffe://lab.example/agent/',
  'spiffe://lab.example//agent',
  'spiffe://lab.example/agent?x=1',
  'spiffe://lab.example/agent#x',
  'spiffe://lab.example:443/agent',
  'spiffe://user@lab.example/agent',
  'spiffe://lab.example',
  'SPIFFE://lab.example/agent',
  'https://lab.example/agent',
  'spiffe:///agent',
  'spiffe://lab.example/agent/ä',
  `spiffe://lab.example/${'a'.repeat(2048)}`,
])('ATTACKS 7: refuses %j without normalising it', (text) => {
  expect(parseSpiffeId(text)).toMatchObject({ ok: false, reason: 'spiffe-id-malformed' })
})

test('the path alone gives the role', () => {
  expect(roleOfText('spiffe://lab.example/enforcer/identity-verify')).toEqual({ kind: 'enforcer', stage: 'identity-verify' })
  expect(roleOfText('spiffe://lab.example/agent/planner/1')).toEqual({ kind: 'agent', definition: 'planner', instance: '1' })
  expect(roleOfText('spiffe://lab.example/device/laser-1')).toEqual({ kind: 'device', device: 'laser-1' })
  expect(roleOfText('spiffe://lab.example/service/token')).toEqual({ kind: 'service', service: 'token' })
})

test.each([
  'enforcer/nobody',
  'enforcer/identity-verify/x',
  'service/other',
  'agent/a',
  'agent/a/b/c',
  'device/a/b',
  'x/y',
])('the path %s has no role', (path) => {
  expect(roleOfText(`spiffe://lab.example/${path}`)).toBeUndefined()
})
