import type { TrustBundle } from '@interlock/contracts'
import { createIntermediate, createRoot, type Identity, issueIdentity, type KeyedIssuer } from './issue/index.ts'
import { type SigningKey, signingKey } from './signing-key.ts'
import { openTrustBundle, type TrustAnchors } from './trust-anchors.ts'

/** A trust domain made in memory, with real keys and certificates, for tests. */
export type TestDomain = {
  readonly trustDomain: string
  readonly issuer: KeyedIssuer
  readonly root: KeyedIssuer
  readonly bundle: TrustBundle
  readonly anchors: TrustAnchors
  /** The signing key of `enforcer/identity-verify`, `operator/dev` and so on. */
  signer(path: string): SigningKey
  issue(path: string): Promise<Identity>
}

export const keyOf = (identity: Identity): SigningKey => signingKey(identity.privateKey, identity.chain)

export async function testDomain(signerPaths: readonly string[], now: number, trustDomain = 'lab.example'): Promise<TestDomain> {
  const root = await createRoot(trustDomain, now)
  const issuer = await createIntermediate(root, trustDomain, now)
  const issue = (path: string) => issueIdentity(issuer, { name: path, spiffeId: `spiffe://${trustDomain}/${path}` }, now)
  const identities = new Map(await Promise.all(signerPaths.map(async (path) => [path, await issue(path)] as const)))
  const bundle: TrustBundle = {
    format: 'interlock-trust-bundle-v1',
    trustDomain,
    audience: `interlock:${trustDomain}`,
    roots: { [trustDomain]: [Buffer.from(root.certificate.rawData).toString('base64url')] },
    crls: [],
    signers: [...identities.values()].map(({ chain }) => chain.map((der) => der.toString('base64url'))),
    webauthn: { rpId: 'localhost', origins: ['http://localhost'] },
  } as unknown as TrustBundle
  return {
    trustDomain,
    issuer,
    root,
    bundle,
    anchors: openTrustBundle(bundle),
    signer: (path) => keyOf(identities.get(path) as Identity),
    issue,
  }
}
