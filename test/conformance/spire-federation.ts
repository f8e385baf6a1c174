import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CommandDigest, IntentId, JobId } from '@interlock/contracts'
import {
  type Certificate,
  nextPartner,
  noFederation,
  readAttestationResult,
  readSpiffeBundle,
  readTaskToken,
  spiffeBundleOf,
  type TrustAnchors,
  validateFederatedSvid,
  verifyAdmission,
  verifyAgentAssertion,
  verifyDefinitionOrder,
  verifyIntentProof,
} from '@interlock/trust'
import type { Judgement } from './suite.ts'

const skewMs = 30_000
const now = Date.UTC(2027, 0, 1)
type RootsOf = (trustDomain: string) => Certificate[]
type Case = [string, Judgement]
const judge = (name: string, isRight: boolean, why: string): Case => [
  name,
  isRight ? { kind: 'passed' } : { kind: 'failed', why },
]

const bundleOf = (folder: string, trustDomain: string) =>
  readSpiffeBundle(readFileSync(join(folder, `${trustDomain}.bundle.json`)), trustDomain)

/** Bundles as SPIRE's endpoint serves them: read as its PEM has them, refused for another trust domain, and ours are written like them. */
export function bundles(folder: string, rootsOf: RootsOf): Case[] {
  return ['lab.example', 'partner.example'].flatMap((trustDomain) => {
    const text = readFileSync(join(folder, `${trustDomain}.bundle.json`))
    const read = bundleOf(folder, trustDomain)
    const roots = rootsOf(trustDomain).map(({ der }) => der)
    const other = readSpiffeBundle(text, 'another.example')
    const theirs = (JSON.parse(text.toString('utf8')) as { keys: { use: string }[] }).keys.filter(
      ({ use }) => use === 'x509-svid',
    )
    const ours = spiffeBundleOf(roots, 1, 1).keys as Record<string, unknown>[]
    const sorted = (keys: readonly object[]) => JSON.stringify(keys.map((key) => Object.entries(key).toSorted()))
    return [
      judge(
        `${trustDomain} bundle`,
        read.ok && Buffer.concat([...read.value.roots]).equals(Buffer.concat(roots)),
        'other roots than its PEM has',
      ),
      judge(
        `${trustDomain} bundle for another`,
        !other.ok && other.reason === 'bundle-root-other-domain',
        'taken for another trust domain',
      ),
      judge(`${trustDomain} bundle written`, sorted(ours) === sorted(theirs), 'written otherwise than SPIRE writes it'),
    ]
  })
}

/** The partner's SVID, where we are lab.example: good with its bundle, nobody's without, and refused once the bundle is overdue. */
export function federated(folder: string, chainOf: (name: string) => Buffer[], rootsOf: RootsOf): Case[] {
  const bundle = bundleOf(folder, 'partner.example')
  const partner = bundle.ok ? nextPartner('partner.example', bundle.value, undefined, now) : bundle
  if (!partner.ok) return [judge('partner federated', false, partner.reason)]
  const anchors = { trustDomain: 'lab.example', roots: rootsOf, revocationLists: [] } as unknown as TrustAnchors
  const verdict = (federation: typeof noFederation, at: number) => {
    const svid = validateFederatedSvid(chainOf('partner'), { anchors, federation }, at, skewMs)
    return svid.ok ? svid.value.spiffeId : svid.reason
  }
  const federation = new Map([['partner.example', partner.value]])
  return [
    judge('partner federated', verdict(federation, now) === 'spiffe://partner.example/robot/r1', verdict(federation, now)),
    judge('partner not federated', verdict(noFederation, now) === 'svid-trust-domain', verdict(noFederation, now)),
    judge(
      'partner overdue',
      verdict(federation, partner.value.expiresAt) === 'trust-domain-overdue',
      'counted though its roots are overdue',
    ),
  ]
}

/** A JWT-SVID is a bearer token: it is refused wherever one of ours is read, though its own trust domain's roots are trusted and its times are right. */
export function jwtSvids(folder: string, rootsOf: RootsOf): Case[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.jwt'))
  return names.flatMap((name) => {
    const token = readFileSync(join(folder, name), 'utf8').trim()
    const trustDomain = name === 'partner.jwt' ? 'partner.example' : 'lab.example'
    const anchors = {
      trustDomain,
      audience: 'enforcer',
      roots: rootsOf,
      revocationLists: [],
      signer: () => undefined,
    } as unknown as TrustAnchors
    const proof = {
      ...{ anchors, federation: noFederation, now, skewMs, leafToken: token },
      ...{ intentId: 'i' as IntentId, jobId: 'j' as JobId, commandDigest: 'c' as CommandDigest },
    }
    const places: [string, { readonly ok: boolean; readonly reason?: string }][] = [
      ['as a proof', verifyIntentProof(token, proof)],
      ['as a task token', readTaskToken(token)],
      ['as an assertion', verifyAgentAssertion(token, { audience: 'enforcer', anchors, now, skewMs })],
      ['as an admission', verifyAdmission(token, { anchors, now, skewMs, isRevokedKey: () => false })],
      ['as an order of a definition', verifyDefinitionOrder(token, { anchors, now, skewMs, isRevokedKey: () => false })],
      ['as an attestation result', readAttestationResult(token, anchors)],
    ]
    return places.map(([place, found]) => judge(`${name} ${place}`, !found.ok, 'accepted a JWT-SVID'))
  })
}
