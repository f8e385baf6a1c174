import { setTimeout } from 'node:timers/promises'
import type { FederationEntry, Partner, Result } from '@interlock/contracts'
import { accepted, refused } from '@interlock/contracts'
import {
  isSameSet,
  nextPartner,
  type PartnerReason,
  readSpiffeBundle,
  refreshMsOf,
  type SpiffeBundleReason,
  type TrustAnchors,
} from '@interlock/trust'
import type { ConfiguredPartner } from './federation-settings.ts'
import { type EndpointRoots, FetchError, type FetchReason, fetchBundle } from './fetch-bundle.ts'
import type { Parts } from './parts.ts'

export type RefreshReason = FetchReason | SpiffeBundleReason | PartnerReason
type FederationParts = Pick<Parts, 'federation' | 'log' | 'now'>

/** How long after a failure a partner is asked again, milliseconds. */
const againMs = 60_000

export type FederationEvents = {
  readonly refreshed: (partner: Partner) => void
  /** What it said before counts until it is over. */
  readonly refused: (trustDomain: string, reason: string, detail: unknown) => void
}

/** Asks a partner for its bundle, and where all is in order writes its roots down for stages and devices. Returns when to ask again, milliseconds. */
export async function refreshPartner(
  partner: ConfiguredPartner,
  { federation, log, now }: FederationParts,
): Promise<Result<{ readonly entry: Partner; readonly againMs: number }, RefreshReason>> {
  const { trustDomain } = partner
  const known = knownOf(trustDomain, federation())
  const bytes = await fetchBundle(partner, endpointRoots(partner, known), now()).catch((error: unknown) => {
    if (error instanceof FetchError) return error
    throw error
  })
  if (bytes instanceof FetchError) return refused(bytes.reason, { cause: bytes.message })
  const bundle = readSpiffeBundle(bytes, trustDomain)
  if (!bundle.ok) return bundle
  const next = nextPartner(trustDomain, bundle.value, known, now())
  if (!next.ok) return next
  await log.federation(next.value)
  return accepted({ entry: next.value, againMs: refreshMsOf(bundle.value) })
}

const knownOf = (trustDomain: string, federation: ReadonlyMap<string, FederationEntry>): Partner | undefined => {
  const entry = federation.get(trustDomain)
  return entry?.kind === 'partner' ? entry : undefined
}

/**
 * By which roots the endpoint proves itself: those that it last gave, though they may be overdue, or else nobody would recover; the pinned ones at first, and when an
 * operator has pinned a newer bundle because the last was lost.
 */
function endpointRoots(partner: ConfiguredPartner, known: Partner | undefined): EndpointRoots {
  const { trustDomain } = partner
  const pinned = partner.profile === 'https_spiffe' ? partner.pinned : undefined
  const isNewer = known === undefined || (pinned?.sequence ?? 0) > (known.sequence ?? Number.POSITIVE_INFINITY)
  if (!isNewer || !pinned) return { trustDomain, roots: known?.roots ?? [] }
  return { trustDomain, roots: pinned.roots.map((der) => der.toString('base64url')) }
}

/** Keeps each partner's roots fresh until it is told to stop. A partner that does not answer is asked again, and meanwhile what it said runs out. */
export async function keepPartners(
  partners: readonly ConfiguredPartner[],
  parts: FederationParts,
  events: FederationEvents,
  signal: AbortSignal,
): Promise<void> {
  await withdrawOthers(partners, parts)
  await Promise.all(
    partners.map(async (partner) => {
      while (!signal.aborted) {
        const asked = await refreshPartner(partner, parts).catch((error: unknown) =>
          refused('not-recorded', { cause: String(error) }),
        )
        if (asked.ok) events.refreshed(asked.value.entry)
        else events.refused(partner.trustDomain, asked.reason, asked.detail)
        await setTimeout(asked.ok ? asked.value.againMs : againMs, undefined, { signal }).catch(() => undefined)
      }
    }),
  )
}

/** Who is not in the settings any more is no partner any more, at once. What it last said stays, so that it cannot be played back later. */
export async function withdrawOthers(
  partners: readonly Pick<ConfiguredPartner, 'trustDomain'>[],
  { federation, log, now }: FederationParts,
): Promise<void> {
  const kept = new Set(partners.map(({ trustDomain }) => trustDomain))
  for (const entry of federation().values())
    if (entry.kind === 'partner' && !kept.has(entry.trustDomain) && entry.expiresAt > now())
      await log.federation({ ...entry, expiresAt: now() })
}

/** Our own bundle's sequence grows whenever its roots change, over restarts too: it is kept in the table (SPIFFE Trust Domain and Bundle §4.1.1). */
export async function publishOwnBundle(
  anchors: TrustAnchors,
  { federation, log }: Pick<FederationParts, 'federation' | 'log'>,
): Promise<void> {
  const { trustDomain } = anchors
  const before = federation().get(trustDomain)
  const sequence = before?.kind === 'own' ? before.sequence : 0
  const roots = anchors.roots(trustDomain).map(({ der }) => der.toString('base64url'))
  if (before?.kind === 'own' && isSameSet(before.roots, roots)) return
  await log.federation({ kind: 'own', trustDomain, roots, sequence: sequence + 1 })
}
