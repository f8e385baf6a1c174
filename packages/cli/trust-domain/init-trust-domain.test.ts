import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type ControlStatement, type DeviceEntry, stageNames, trustBundleSchema } from '@interlock/contracts'
import { loadSigningKey, openTrustBundle, verifyControlEntry } from '@interlock/trust'
import { issueIdentity } from '@interlock/trust/issue'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readControlFile } from './control-file.ts'
import { initTrustDomain, TrustDomainError } from './init-trust-domain.ts'
import { loadIssuingAuthority } from './issuing-authority.ts'
import { layoutOf } from './layout.ts'

const now = Date.UTC(2026, 10, 24, 12)
const tpm = { device: 'laser-1', attestationKey: 'AAAA', pcrs: [0, 4, 7], pcrDigest: 'p'.repeat(43) }
const policy = { revision: 'bounds-1', wasm: Buffer.from('wasm'), data: { a: 1 } }
let directory: string
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'interlock-domain-'))
  await initTrustDomain({ directory, devices: [tpm], policy, now })
})
afterAll(() => rmSync(directory, { recursive: true }))

const filesUnder = (path: string) =>
  readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
const statementOf = (table: string, id: string) => {
  const found = readControlFile(layoutOf(directory).controlEntries).find((one) => one.table === table && one.entry.id === id)
  return found && (JSON.parse(found.entry.statement.toString()) as ControlStatement)
}

test('writes every file for its owner alone', () => {
  for (const path of filesUnder(directory)) expect(`${path} ${statSync(path).mode & 0o077}`).toBe(`${path} 0`)
})

test('every signer of the bundle has a key that loads, and every entry verifies by the bundle', () => {
  const layout = layoutOf(directory)
  const anchors = openTrustBundle(trustBundleSchema.parse(JSON.parse(readFileSync(layout.trustBundle, 'utf8'))))
  for (const name of [...stageNames, 'service-registry', 'service-token', 'operator-dev']) {
    expect(anchors.signer(loadSigningKey(layout.key(name), layout.chain(name)).keyId)).toBeDefined()
  }
  const entries = readControlFile(layout.controlEntries)
  expect(entries.map(({ table, entry }) => `${table} ${entry.id}`)).toEqual(
    expect.arrayContaining([
      'control.devices laser-1',
      'control.agents human:bob',
      'control.policies bounds',
      'control.policies approval',
      'control.agents definition:laser-operator',
    ]),
  )
  for (const { table, entry } of entries) expect(verifyControlEntry(entry, table, anchors)).toMatchObject({ ok: true })
})

test('a second run overwrites no key, keeps what it is not told anew and signs newer revisions', async () => {
  const keys = () =>
    filesUnder(directory)
      .filter((path) => !path.endsWith('control.json'))
      .map((path) => readFileSync(path, 'utf8'))
  const before = keys()
  const again = await initTrustDomain({ directory, devices: [{ ...tpm, device: 'mill-1' }], now: now + 1000 })
  expect(again.isNew).toBe(false)
  expect(keys()).toEqual(before)
  expect((statementOf('control.devices', 'laser-1')?.value as DeviceEntry).attestation).toMatchObject({ attestationKey: 'AAAA' })
  expect(statementOf('control.devices', 'mill-1')?.revision).toBe(now + 1000)
  expect(statementOf('control.policies', 'bounds')?.value).toMatchObject({ revision: 'bounds-1' })
})

test('refuses to fill up what an earlier run left half made', async () => {
  const half = mkdtempSync(join(tmpdir(), 'interlock-half-'))
  await initTrustDomain({ directory: half, devices: [], now })
  rmSync(layoutOf(half).trustBundle)
  await expect(initTrustDomain({ directory: half, devices: [], now })).rejects.toThrow(TrustDomainError)
  rmSync(half, { recursive: true })
})

test('the issuing authority can be opened to issue further certificates', async () => {
  const issuer = await loadIssuingAuthority(layoutOf(directory))
  const identity = await issueIdentity(issuer, { name: 'x', spiffeId: 'spiffe://lab.interlock.example/agent/x/1' }, now)
  expect(identity.chain[1]?.equals(Buffer.from(issuer.certificate.rawData))).toBe(true)
})
