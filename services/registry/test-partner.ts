import type { AddressInfo } from 'node:net'
import { listen } from '@interlock/enforcer'
import type { Fixture } from '@interlock/sdk/fixture'
import { readSpiffeBundle, type SigningKey, spiffeBundleOf, type TrustAnchors } from '@interlock/trust'
import type { Identity } from '@interlock/trust/issue'
import type { TestDomain } from '@interlock/trust/test-domain'
import { bundleApp } from './bundle-endpoint.ts'
import type { ConfiguredPartner } from './federation-settings.ts'
import type { Parts } from './parts.ts'

const pemOf = (der: Buffer) => `-----BEGIN CERTIFICATE-----\n${der.toString('base64')}\n-----END CERTIFICATE-----\n`

/** An SVID as a TLS server's identity. */
export const tlsIdentityOf = ({ privateKey, chain }: Pick<Identity, 'privateKey' | 'chain'>) => ({
  key: Buffer.from(privateKey.export({ type: 'pkcs8', format: 'pem' })),
  cert: Buffer.from(chain.map(pemOf).join('')),
})

/** A registry's bundle endpoint, as its main starts it. Returns its address, and what ends it. */
export async function startBundleEndpoint(
  parts: Pick<Parts, 'anchors' | 'federation'>,
  svid: Pick<Identity, 'privateKey' | 'chain'>,
) {
  const { server } = await listen(bundleApp(parts), '127.0.0.1', 0, tlsIdentityOf(svid))
  return { url: `https://localhost:${(server.address() as AddressInfo).port}/bundle`, close: () => server.close() }
}

/** As an operator configures a partner whose registry is ours too, with its first bundle pinned. */
export function configured({ trustDomain, roots }: TrustAnchors, bundleEndpoint: string, sequence = 0): ConfiguredPartner {
  const ders = roots(trustDomain).map(({ der }) => der)
  const pinned = readSpiffeBundle(Buffer.from(JSON.stringify(spiffeBundleOf(ders, sequence, 300))), trustDomain)
  if (!pinned.ok) throw new Error(pinned.reason)
  const endpointSpiffeId = `spiffe://${trustDomain}/service/registry`
  return { profile: 'https_spiffe', trustDomain, bundleEndpoint, endpointSpiffeId, pinned: pinned.value }
}

/** The laboratory's fixture under another trust domain's authority: what a second registry is started with. */
export function fixtureOf(domain: TestDomain, fixture: Fixture): Fixture {
  const key = (name: string): SigningKey => domain.signer(name.replace('-', '/'))
  const ofDomain = { ...fixture.domain, bundle: domain.bundle, issuer: domain.issuer, root: domain.root }
  return { ...fixture, domain: ofDomain, trust: { ...fixture.trust, anchors: domain.anchors }, key }
}
