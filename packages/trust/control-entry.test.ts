import { type ControlStatement, type RevocationEntry, revocationEntrySchema, type StopEntry } from '@interlock/contracts'
import { beforeAll, expect, test } from 'vitest'
import { signControlEntry, verifyControlEntry } from './control-entry.ts'
import { type TestDomain, testDomain } from './test-domain.ts'

const now = 1_790_000_000_000
const value: StopEntry = { scope: 'device', subject: 'laser-1', state: 'stopped', changedAt: now, reason: 'smoke' }
const statement: ControlStatement = { table: 'control.stops', id: 'device:laser-1', revision: 2, updatedAt: now, value }

let domain: TestDomain
beforeAll(async () => {
  domain = await testDomain(['operator/dev', 'service/registry', 'service/token', 'enforcer/identity-verify'], now)
})
const reasonOf = (result: ReturnType<typeof verifyControlEntry>) => (result.ok ? 'accepted' : result.reason)

test('an entry signed by who may write its table is read', async () => {
  const entry = await signControlEntry(statement, domain.signer('operator/dev'))
  expect(verifyControlEntry(entry, 'control.stops', domain.anchors)).toEqual({ ok: true, value: statement })
})

test.each(['service/registry', 'service/token', 'enforcer/identity-verify'])('refuses a stop signed by %s', async (path) => {
  expect(
    reasonOf(verifyControlEntry(await signControlEntry(statement, domain.signer(path)), 'control.stops', domain.anchors)),
  ).toBe('control-wrong-role')
})

test('refuses an entry in another table, under another id or revision, edited, or signed by a stranger', async () => {
  const entry = await signControlEntry(statement, domain.signer('operator/dev'))
  const verify = (changed: typeof entry, table: Parameters<typeof verifyControlEntry>[1] = 'control.stops') =>
    reasonOf(verifyControlEntry(changed, table, domain.anchors))
  expect(verify(entry, 'control.policies')).toBe('control-mismatch')
  expect(verify({ ...entry, id: 'device:laser-2' })).toBe('control-mismatch')
  expect(verify({ ...entry, revision: 3 })).toBe('control-mismatch')
  expect(verify({ ...entry, statement: Buffer.from(entry.statement.toString().replace('stopped', 'lifted')) })).toBe(
    'control-bad-signature',
  )
  expect(verify({ ...entry, statement: Buffer.from(`${entry.statement} `) })).toBe('control-malformed')
  expect(verify({ ...entry, keyId: 'A'.repeat(43) })).toBe('control-unknown-key')
})

test('refuses a value that is not of its table', async () => {
  const wrong = await signControlEntry({ ...statement, value: { ...value, scope: 'galaxy' } }, domain.signer('operator/dev'))
  expect(reasonOf(verifyControlEntry(wrong, 'control.stops', domain.anchors))).toBe('control-malformed')
})

test('attack 78: refuses a policy that counts itself newer or older than its entry', async () => {
  const policy = { kind: 'bounds', revision: 'r', sequence: 2, wasm: 'AA', wasmSha256: 'A'.repeat(43), data: {} }
  const of = async (sequence: number) => {
    const changed = { ...statement, table: 'control.policies' as const, id: 'bounds', value: { ...policy, sequence } }
    return reasonOf(
      verifyControlEntry(await signControlEntry(changed, domain.signer('operator/dev')), 'control.policies', domain.anchors),
    )
  }
  expect(await of(statement.revision)).toBe('accepted')
  expect(await of(statement.revision + 1)).toBe('control-mismatch')
  expect(await of(statement.revision - 1)).toBe('control-mismatch')
})

test.each([
  ['operator/dev', revocationEntrySchema.shape.kind.options],
  ['service/registry', ['certificate']],
  ['service/token', ['token', 'job', 'standing-grant']],
  ['enforcer/identity-verify', []],
] as const)('attack 158: %s revokes by kind %j and nothing else', async (path, kinds) => {
  const may: RevocationEntry['kind'][] = []
  for (const kind of revocationEntrySchema.shape.kind.options) {
    const changed = { ...statement, table: 'control.revocations' as const, value: { kind, subject: 'x', from: now, reason: '' } }
    const entry = await signControlEntry({ ...changed, id: `${kind}:x` }, domain.signer(path))
    const reason = reasonOf(verifyControlEntry(entry, 'control.revocations', domain.anchors))
    if (reason === 'accepted') may.push(kind)
    else expect(reason).toBe('control-wrong-role')
  }
  expect(may.toSorted()).toEqual([...kinds].toSorted())
})

test('attack 158: a revocation of one kind does not lie under the id of another', async () => {
  const job: RevocationEntry = { kind: 'job', subject: 'job-1', from: now, reason: '' }
  const changed = { ...statement, table: 'control.revocations' as const, id: 'enforcer-key:x', value: job }
  const entry = await signControlEntry(changed, domain.signer('service/token'))
  expect(reasonOf(verifyControlEntry(entry, 'control.revocations', domain.anchors))).toBe('control-mismatch')
})
