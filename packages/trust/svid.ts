import { createHash, type KeyObject } from 'node:crypto'
import { accepted, type Result, refused, type SpiffeId } from '@interlock/contracts'
import type { Certificate } from './certificate.ts'
import { type CertificatePathReason, validatePath } from './certificate-path.ts'
import { algorithmOf, thumbprint } from './signing-key.ts'
import { type ParsedSpiffeId, parseSpiffeId } from './spiffe-id.ts'
import type { TrustAnchors } from './trust-anchors.ts'

export type SvidReason = CertificatePathReason | 'svid-name' | 'svid-key' | 'svid-trust-domain'

/** What an SVID is judged by. */
export type SvidAnchors = Pick<TrustAnchors, 'trustDomain' | 'roots' | 'revocationLists'>

/** A validated X.509-SVID. */
export type Svid = {
  readonly spiffeId: SpiffeId
  readonly parsed: ParsedSpiffeId
  readonly publicKey: KeyObject
  /** x5t#S256 of the certificate. */
  readonly thumbprint: string
  readonly notBeforeMs: number
  readonly notAfterMs: number
  readonly definitionHash: string | undefined
  readonly assurance: string | undefined
}

/**
 * Validates a chain as the SVID of the trust bundle's own domain: exactly one URI name (SPIFFE X.509-SVID §2; DNS names beside it say nothing here), and the roots are
 * chosen by the trust domain in that name, so that a partner's CA cannot name one of ours (ATTACKS 8, 9).
 */
export function validateSvid(
  chain: readonly Buffer[],
  anchors: SvidAnchors,
  now: number,
  skewMs: number,
): Result<Svid, SvidReason> {
  const validated = pathOf(chain, anchors, now, skewMs)
  if (!validated.ok) return validated
  const leaf = validated.value
  const parsed = leaf.uris.length === 1 ? parseSpiffeId(leaf.uris[0] as string) : undefined
  if (!parsed?.ok) return refused('svid-name', { uris: leaf.uris.length })
  if (parsed.value.trustDomain !== anchors.trustDomain)
    return refused('svid-trust-domain', { trustDomain: parsed.value.trustDomain })
  if (!algorithmOf(leaf.publicKey)) return refused('svid-key')
  return accepted({
    spiffeId: parsed.value.id,
    parsed: parsed.value,
    publicKey: leaf.publicKey,
    thumbprint: thumbprint(leaf.der),
    notBeforeMs: leaf.notBeforeMs,
    notAfterMs: leaf.notAfterMs,
    definitionHash: leaf.definitionHash,
    assurance: leaf.assurance,
  })
}

type KnownPath = { readonly leaf: Certificate; readonly notBeforeMs: number; readonly notAfterMs: number }
const known = new WeakMap<SvidAnchors, Map<string, KnownPath>>()
const knownMax = 2048

/** A path that was good stays good while all of it is in time: signatures do not change. CRLs age, so with them nothing is remembered. */
function pathOf(
  chain: readonly Buffer[],
  anchors: SvidAnchors,
  now: number,
  skewMs: number,
): Result<Certificate, CertificatePathReason> {
  const hash = createHash('sha256')
  for (const der of chain) hash.update(`${der.length}:`).update(der)
  const key = hash.digest('base64')
  const paths = known.get(anchors) ?? new Map<string, KnownPath>()
  known.set(anchors, paths)
  const found = paths.get(key)
  if (found && now >= found.notBeforeMs - skewMs && now <= found.notAfterMs + skewMs) return accepted(found.leaf)

  const requireRevocationStatus = anchors.revocationLists.length > 0
  const roots = anchors.roots(anchors.trustDomain)
  const validated = validatePath({ chain, roots, revocationLists: anchors.revocationLists, requireRevocationStatus, now, skewMs })
  if (!validated.ok) return validated
  const leaf = validated.value[0] as Certificate
  if (requireRevocationStatus) return accepted(leaf)
  paths.set(key, {
    leaf,
    notBeforeMs: Math.max(...validated.value.map(({ notBeforeMs }) => notBeforeMs)),
    notAfterMs: Math.min(...validated.value.map(({ notAfterMs }) => notAfterMs)),
  })
  if (paths.size > knownMax) paths.delete(paths.keys().next().value as string)
  return accepted(leaf)
}
