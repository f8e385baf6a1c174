import { accepted, type Result, refused, type SpiffeId, type StageName, stageNames } from '@interlock/contracts'

export type SpiffeIdReason = 'spiffe-id-malformed'
export type ParsedSpiffeId = { readonly id: SpiffeId; readonly trustDomain: string; readonly segments: readonly string[] }

const trustDomainPattern = /^[a-z0-9._-]{1,255}$/
const segmentPattern = /^[A-Za-z0-9._-]+$/

/**
 * Reads a SPIFFE ID as the SPIFFE-ID standard §2 has it, with nothing normalised: what would have to be normalised to be compared
 * (case, dots, percent signs, empty segments, ports) is refused (ATTACKS 7).
 */
export function parseSpiffeId(text: string): Result<ParsedSpiffeId, SpiffeIdReason> {
  const malformed = () => refused('spiffe-id-malformed', { bytes: text.length })
  if (text.length > 2048 || !text.startsWith('spiffe://')) return malformed()
  const [trustDomain, ...segments] = text.slice('spiffe://'.length).split('/')
  if (trustDomain === undefined || !trustDomainPattern.test(trustDomain) || segments.length === 0) return malformed()
  if (!segments.every((segment) => segmentPattern.test(segment) && segment !== '.' && segment !== '..')) return malformed()
  return accepted({ id: text as SpiffeId, trustDomain, segments })
}

export type Role =
  | { readonly kind: 'enforcer'; readonly stage: StageName }
  | { readonly kind: 'agent'; readonly definition: string; readonly instance: string }
  | { readonly kind: 'device'; readonly device: string }
  | { readonly kind: 'service'; readonly service: 'registry' | 'token' }
  | { readonly kind: 'operator'; readonly name: string }

/** What the holder of a SPIFFE ID may do, by its path alone; undefined for a path that has no role here. */
export function roleOf({ segments }: ParsedSpiffeId): Role | undefined {
  const [kind, first, second, ...rest] = segments
  if (first === undefined || rest.length > 0) return undefined
  if (kind === 'agent') return second === undefined ? undefined : { kind, definition: first, instance: second }
  if (second !== undefined) return undefined
  if (kind === 'enforcer') return stageNames.some((stage) => stage === first) ? { kind, stage: first as StageName } : undefined
  if (kind === 'service') return first === 'registry' || first === 'token' ? { kind, service: first } : undefined
  if (kind === 'device') return { kind, device: first }
  return kind === 'operator' ? { kind, name: first } : undefined
}
