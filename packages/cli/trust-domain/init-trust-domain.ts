import { existsSync, mkdirSync, readFileSync } from 'node:fs'
import type { BoundsPolicy, ControlStatement, DeviceEntry } from '@interlock/contracts'
import { chainPem, keyPem } from '@interlock/sdk/pem'
import { createPrivateFile } from '@interlock/sdk/private-file'
import { type SoftwarePasskey, softwarePasskeySchema } from '@interlock/sdk/software-passkey'
import {
  controlEntries,
  createTrustDomain,
  type DeviceTpm,
  deviceEntry,
  humans,
  type TableEntry,
  type TrustDomain,
} from '@interlock/sdk/trust-domain'
import { digest, loadSigningKey } from '@interlock/trust'
import { readControlFile, writeControlFile } from './control-file.ts'
import { type Layout, layoutOf } from './layout.ts'
import { readTrustBundle } from './trust-bundle-file.ts'

export type InitRequest = {
  readonly directory: string
  /** The TPMs that run now; a device that is left out keeps the entry it has. */
  readonly devices: readonly (DeviceTpm & { readonly device: string })[]
  /** The bounds policy: an OPA module with its data. Kept as it was where left out. */
  readonly policy?: { readonly revision: string; readonly wasm: Uint8Array; readonly data: Record<string, unknown> }
  /** Milliseconds since 1970. */
  readonly now: number
}

export type InitResult = { readonly layout: Layout; readonly entries: readonly TableEntry[]; readonly isNew: boolean }

/** The directory holds part of a trust domain: nothing is made and nothing overwritten. */
export class TrustDomainError extends Error {
  readonly code = 'trust-domain-incomplete'
  readonly retriable = false
}

/**
 * Makes the local trust domain once, and on later runs only signs the control tables anew: keys that exist are never
 * overwritten. A run that is broken off before the trust bundle is written has made nothing that counts.
 */
export async function initTrustDomain(request: InitRequest): Promise<InitResult> {
  const layout = layoutOf(request.directory)
  const isNew = !existsSync(layout.trustBundle)
  if (isNew) {
    if (existsSync(layout.keys)) throw incomplete(layout)
    writeTrustDomain(layout, await createTrustDomain(request.now))
  }
  const entries = await signEntries(layout, request)
  writeControlFile(layout.controlEntries, entries)
  return { layout, entries, isNew }
}

function writeTrustDomain(layout: Layout, { bundle, identities, passkeys, root, issuer }: TrustDomain): void {
  for (const path of [layout.directory, layout.keys, layout.humans, layout.jobs])
    mkdirSync(path, { recursive: true, mode: 0o700 })
  for (const [name, { privateKey, chain }] of identities) {
    createPrivateFile(layout.key(name), keyPem(privateKey))
    createPrivateFile(layout.chain(name), chainPem(chain))
  }
  for (const [name, authority] of [
    ['root', root],
    ['issuing-authority', issuer],
  ] as const) {
    createPrivateFile(layout.key(name), keyPem(authority.privateKey))
    createPrivateFile(layout.chain(name), chainPem([Buffer.from(authority.certificate.rawData)]))
  }
  for (const [human, passkey] of passkeys) createPrivateFile(layout.passkey(human), `${JSON.stringify(passkey, null, 2)}\n`)
  // Last, for its being there says that all the rest is.
  createPrivateFile(layout.trustBundle, `${JSON.stringify(bundle, null, 2)}\n`)
}

async function signEntries(layout: Layout, request: InitRequest): Promise<TableEntry[]> {
  const before = readControlFile(layout.controlEntries)
  const known = new Map(devicesOf(before).map((entry) => [entry.device, entry]))
  for (const { device, ...tpm } of request.devices) known.set(device, deviceEntry(device, tpm, request.now))
  const fresh = await controlEntries({
    devices: [...known.values()],
    humans: readTrustBundle(layout).humans ?? [],
    boundsPolicy: request.policy && boundsPolicy(request.policy, request.now),
    registry: loadSigningKey(layout.key('service-registry'), layout.chain('service-registry')),
    operator: loadSigningKey(layout.key('operator-dev'), layout.chain('operator-dev')),
    now: request.now,
  })
  const kept = request.policy ? [] : before.filter(({ table, entry }) => table === 'control.policies' && entry.id === 'bounds')
  return [...fresh, ...kept]
}

function boundsPolicy({ revision, wasm, data }: NonNullable<InitRequest['policy']>, sequence: number): BoundsPolicy {
  const module = Buffer.from(wasm).toString('base64url')
  return { kind: 'bounds', revision, sequence, wasm: module, wasmSha256: digest(wasm), data }
}

function devicesOf(entries: readonly TableEntry[]): DeviceEntry[] {
  return entries
    .filter(({ table }) => table === 'control.devices')
    .map(({ entry }) => (JSON.parse(entry.statement.toString('utf8')) as ControlStatement).value as DeviceEntry)
}

/** The passkeys of the people who have one here, by name. */
export function readPasskeys(layout: Layout): ReadonlyMap<string, SoftwarePasskey> {
  const present = humans.filter(({ sub }) => existsSync(layout.passkey(sub)))
  return new Map(
    present.map(({ sub }) => [sub, softwarePasskeySchema.parse(JSON.parse(readFileSync(layout.passkey(sub), 'utf8')))]),
  )
}

function incomplete({ directory }: Layout): TrustDomainError {
  const advice = 'Remove the directory (`npm run clean` does), then run `interlock dev init` again.'
  return new TrustDomainError(`${directory} has keys but no trust-bundle.json: an earlier run was broken off. ${advice}`)
}
