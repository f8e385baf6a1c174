import { type FederationEntry, type Partner, type Result, refused } from '@interlock/contracts'
import { type Certificate, readCertificate } from './certificate.ts'
import { parseSpiffeId } from './spiffe-id.ts'
import { type Svid, type SvidAnchors, type SvidReason, validateSvid } from './svid.ts'
import type { TrustAnchors } from './trust-anchors.ts'

/** control.federation by entry id. */
export type Federation = ReadonlyMap<string, FederationEntry>
/** Federated with nobody. */
export const noFederation: Federation = new Map()

export type FederatedSvidReason = SvidReason | 'trust-domain-overdue'

/**
 * An SVID of ours, or of a partner's. The name says which roots are asked, and each trust domain's are asked for its own names alone: a partner that is
 * taken over speaks for itself, never for us or for another partner (ATTACKS 8, 9). What the holder may do is not said by this.
 */
export function validateFederatedSvid(
  chain: readonly Buffer[],
  { anchors, federation }: { readonly anchors: TrustAnchors; readonly federation: Federation },
  now: number,
  skewMs: number,
): Result<Svid, FederatedSvidReason> {
  const own = validateSvid(chain, anchors, now, skewMs)
  if (own.ok) return own
  const trustDomain = namedDomain(chain)
  if (trustDomain === undefined || trustDomain === anchors.trustDomain) return own
  const partner = federation.get(trustDomain)
  if (partner?.kind !== 'partner') return refused('svid-trust-domain', { trustDomain })
  // Nobody knows whether a root was withdrawn since.
  if (partner.expiresAt <= now) return refused('trust-domain-overdue', { trustDomain, expiredAt: partner.expiresAt })
  return validateSvid(chain, anchorsOf(partner), now, skewMs)
}

/** What the leaf says of itself, to know whom to ask. */
function namedDomain([leaf]: readonly Buffer[]): string | undefined {
  const read = leaf && readCertificate(leaf)
  const name = read?.ok && read.value.uris.length === 1 ? parseSpiffeId(read.value.uris[0] as string) : undefined
  return name?.ok ? name.value.trustDomain : undefined
}

type PartnerRoots = Pick<Partner, 'trustDomain' | 'roots'>
const opened = new WeakMap<PartnerRoots, SvidAnchors>()

/** A partner's roots, opened once an entry; its SVIDs have no CRL (SPIFFE bundles carry none), so ours say nothing of them. */
export function anchorsOf(partner: PartnerRoots): SvidAnchors {
  const known = opened.get(partner)
  if (known) return known
  const roots = partner.roots.flatMap((text): Certificate[] => {
    const root = readCertificate(Buffer.from(text, 'base64url'))
    return root.ok ? [root.value] : []
  })
  const { trustDomain } = partner
  const anchors = { trustDomain, roots: (asked: string) => (asked === trustDomain ? roots : []), revocationLists: [] }
  opened.set(partner, anchors)
  return anchors
}
