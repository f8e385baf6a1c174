import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { SettingsError } from '@interlock/enforcer'
import { spiffeBundleOf } from '@interlock/trust'
import { type TestDomain, testDomain } from '@interlock/trust/test-domain'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { readFederation } from './federation-settings.ts'

let domain: TestDomain
let folder: string
beforeAll(async () => {
  domain = await testDomain(['service/registry'], Date.UTC(2026, 10, 24), 'partner.example')
  folder = mkdtempSync(join(tmpdir(), 'federation-'))
  const roots = [Buffer.from(domain.root.certificate.rawData)]
  writeFileSync(join(folder, 'bundle.json'), JSON.stringify(spiffeBundleOf(roots, 3, 300)))
  writeFileSync(join(folder, 'empty.json'), '{"keys":[]}')
})
afterAll(() => rmSync(folder, { recursive: true }))

const partner = {
  profile: 'https_spiffe',
  trustDomain: 'partner.example',
  bundleEndpoint: 'https://spiffe.partner.example/bundle',
  endpointSpiffeId: 'spiffe://partner.example/service/registry',
  bundle: 'bundle.json',
}
const web = { profile: 'https_web', trustDomain: 'other.example', bundleEndpoint: 'https://other.example/bundle' }
function read(...partners: object[]) {
  const file = join(folder, 'federation.json')
  writeFileSync(file, JSON.stringify({ partners }))
  return readFederation(file, 'lab.example')
}

it('names partners, how their endpoints are known, and the first bundle of those that prove themselves by an SVID', () => {
  expect(read(partner, web)).toMatchObject([
    { profile: 'https_spiffe', endpointSpiffeId: partner.endpointSpiffeId, pinned: { sequence: 3, roots: [expect.any(Buffer)] } },
    { profile: 'https_web', certificateAuthorities: undefined },
  ])
})

it.each<[string, object[], RegExp]>([
  ['nobody', [], /partners/],
  ['ourselves', [{ ...web, trustDomain: 'lab.example' }], /our own/],
  ['one twice', [web, web], /twice/],
  ['an endpoint without TLS', [{ ...web, bundleEndpoint: 'http://other.example/bundle' }], /bundleEndpoint/],
  ['a profile that nobody knows', [{ ...web, profile: 'https' }], /profile/],
  ['a member that nobody knows', [{ ...web, insecure: true }], /insecure/],
  [
    'an endpoint of another trust domain',
    [{ ...partner, endpointSpiffeId: 'spiffe://other.example/x' }],
    /must be a SPIFFE ID in it/,
  ],
  ['no first bundle', [{ ...partner, bundle: undefined }], /bundle/],
  ['a first bundle without a root', [{ ...partner, bundle: 'empty.json' }], /no root/],
])('attack 156: a file with %s is refused, and the registry does not start', (_what, partners, message) => {
  const opened = () => read(...partners)
  expect(opened).toThrow(SettingsError)
  expect(opened).toThrow(message)
})
