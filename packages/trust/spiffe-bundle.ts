import { X509Certificate } from 'node:crypto'
import { accepted, type Partner, type Result, refused } from '@interlock/contracts'
import { id_ce_basicConstraints } from '@peculiar/asn1-x509'
import { z } from 'zod'
import { type Certificate, KeyUsageFlags, mayDo, readCertificate } from './certificate.ts'
import { strictJson } from './strict-json.ts'

/** A bundle of eight roots and as many JWT keys is a tenth of it. */
export const spiffeBundleBytesMax = 65_536
const rootsMax = 8

export type SpiffeBundleReason =
  | 'bundle-too-large'
  | 'bundle-malformed'
  | 'bundle-root'
  | 'bundle-root-other-key'
  | 'bundle-root-other-domain'

/** A trust domain's own word of its roots (SPIFFE Trust Domain and Bundle §4). */
export type SpiffeBundle = {
  /** DER. */
  readonly roots: readonly Buffer[]
  readonly sequence: number | undefined
  /** How soon it wants to be asked again, milliseconds. */
  readonly refreshHintMs: number | undefined
}

const keySchema = z.looseObject({ kty: z.string().max(16), use: z.string().max(32).optional() })
const rootKeySchema = z.looseObject({ x5c: z.array(z.string().max(24_000)).length(1) })
const bundleSchema = z.looseObject({
  keys: z.array(keySchema).max(64),
  spiffe_sequence: z.int().min(0).optional(),
  spiffe_refresh_hint: z.int().min(0).max(31_536_000).optional(),
})

/** The roots of a trust domain as the JWK set that its bundle endpoint serves. `refreshHint` in seconds. */
export function spiffeBundleOf(
  roots: readonly Buffer[],
  sequence: number,
  refreshHint: number,
): Readonly<Record<string, unknown>> {
  const keys = roots.map((der) => ({
    use: 'x509-svid',
    ...new X509Certificate(der).publicKey.export({ format: 'jwk' }),
    x5c: [der.toString('base64')],
  }))
  return { keys, spiffe_sequence: sequence, spiffe_refresh_hint: refreshHint }
}

/**
 * Reads what a bundle endpoint answered for one trust domain. A key of a use that is not ours (`jwt-svid`) is passed over, as §4.2.2 has it; a root that is not in order
 * refuses the whole: half a bundle is not what its authority said.
 */
export function readSpiffeBundle(bytes: Buffer, trustDomain: string): Result<SpiffeBundle, SpiffeBundleReason> {
  if (bytes.length > spiffeBundleBytesMax) return refused('bundle-too-large', { bytes: bytes.length, max: spiffeBundleBytesMax })
  const parsed = bundleSchema.safeParse(strictJson(bytes))
  if (!parsed.success) return refused('bundle-malformed', { at: parsed.error.issues[0]?.path.join('.') ?? '' })
  const { keys, spiffe_sequence: sequence, spiffe_refresh_hint: hint } = parsed.data
  const rootKeys = keys.filter(({ use }) => use === 'x509-svid')
  if (rootKeys.length > rootsMax) return refused('bundle-malformed', { roots: rootKeys.length, max: rootsMax })
  const roots: Buffer[] = []
  for (const key of rootKeys) {
    const root = readRootKey(key, trustDomain)
    if (!root.ok) return root
    roots.push(root.value)
  }
  return accepted({ roots, sequence, refreshHintMs: hint === undefined ? undefined : hint * 1000 })
}

function readRootKey(key: Record<string, unknown>, trustDomain: string): Result<Buffer, SpiffeBundleReason> {
  const text = rootKeySchema.safeParse(key)
  if (!text.success) return refused('bundle-malformed', { at: 'x5c' })
  const encoded = text.data.x5c[0] as string
  const der = Buffer.from(encoded, 'base64')
  if (der.toString('base64') !== encoded) return refused('bundle-malformed', { at: 'x5c' })
  const root = readCertificate(der)
  if (!root.ok || !isAuthority(root.value)) return refused('bundle-root')
  // SPIFFE X.509-SVID §4.1: where an authority has a name, it is its trust domain's, without a path.
  if (root.value.uris.some((uri) => uri !== `spiffe://${trustDomain}`)) return refused('bundle-root-other-domain')
  // The key is said twice: who reads the one must not believe another than who reads the other.
  const certified = root.value.publicKey.export({ format: 'jwk' }) as Record<string, unknown>
  return Object.entries(certified).every(([name, value]) => key[name] === value)
    ? accepted(der)
    : refused('bundle-root-other-key')
}

const isAuthority = (root: Certificate) =>
  root.isCa && root.criticalOids.includes(id_ce_basicConstraints) && mayDo(root, KeyUsageFlags.keyCertSign)

export type PartnerReason = 'bundle-older' | 'bundle-sequence-reused'

/** How often a partner is asked, milliseconds: as it wants, within what we want. */
const askedEvery = { min: 60_000, default: 300_000, max: 3_600_000 }
export const refreshMsOf = ({ refreshHintMs = askedEvery.default }: Pick<SpiffeBundle, 'refreshHintMs'>): number =>
  Math.min(Math.max(refreshHintMs, askedEvery.min), askedEvery.max)
/** So many times unanswered, and what a partner last said counts no more. */
const unansweredMax = 3

/** What is to be believed of a partner from now on, by what it says now and what it said before. `now` in milliseconds since 1970. Pure. */
export function nextPartner(
  trustDomain: string,
  bundle: SpiffeBundle,
  before: Partner | undefined,
  now: number,
): Result<Partner, PartnerReason> {
  const { sequence } = bundle
  const roots = bundle.roots.map((der) => der.toString('base64url'))
  if (before?.sequence !== undefined) {
    // An answer of yesterday, played again, would bring back a root that was withdrawn since.
    if (sequence === undefined || sequence < before.sequence)
      return refused('bundle-older', { known: before.sequence, said: sequence })
    if (sequence === before.sequence && !isSameSet(roots, before.roots)) return refused('bundle-sequence-reused', { sequence })
  }
  const expiresAt = now + unansweredMax * refreshMsOf(bundle)
  return accepted({
    kind: 'partner',
    trustDomain,
    roots,
    ...(sequence !== undefined && { sequence }),
    refreshedAt: now,
    expiresAt,
  })
}

export const isSameSet = (left: readonly string[], right: readonly string[]): boolean =>
  left.length === right.length && left.every((one) => right.includes(one))
