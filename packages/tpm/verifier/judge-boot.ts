import { createHash } from 'node:crypto'
import { accepted, type Result, refused } from '@interlock/contracts'
import type { MeasuredEvent } from './event-log.ts'
import type { TpmReason } from './tpm-reason.ts'

/** What a boot must have been, told by what was measured rather than by PCR values. Digests are base64url SHA-256, as they were extended. */
export type BootPolicy = {
  /** The firmware checked signatures (PCR 7). */
  readonly secureBoot?: true | undefined
  /** Whose signatures it accepted: digests of the authorities' events (PCR 7, after the separator). */
  readonly authorities?: readonly string[] | undefined
  /** Drivers and option ROMs that may have run (PCR 2); an empty list allows none. */
  readonly drivers?: readonly string[] | undefined
  /** Boot loaders and kernels that may have run (PCR 4). */
  readonly images?: readonly string[] | undefined
}

export type BootReason = Extract<TpmReason, `boot-${string}`>

const sha256 = (data: Uint8Array) => createHash('sha256').update(data).digest('base64url')

/** EV_SEPARATOR: the firmware hands over. Another value than these says that it failed (PFP, 10.4.1). */
const separators = new Set([sha256(Buffer.alloc(4)), sha256(Buffer.alloc(4, 0xff))])
/** What the firmware says that it does; it runs nothing by itself (PFP, 10.4.4). */
const actions = new Set(
  ['Calling EFI Application from Boot Option', 'Returning from EFI Application from Boot Option'].map((text) =>
    sha256(Buffer.from(text)),
  ),
)
const pcrOf = { drivers: 2, images: 4, authorities: 7, secureBoot: 7 } as const

/** The PCRs that must be quoted for a policy to be judged. */
export function pcrsOfPolicy(policy: BootPolicy): number[] {
  const rules = (Object.keys(pcrOf) as (keyof typeof pcrOf)[]).filter((rule) => policy[rule] !== undefined)
  return [...new Set(rules.map((rule) => pcrOf[rule]))]
}

/**
 * Judges events that were replayed to quoted PCRs. An event's type is nobody's signed word, so nothing is passed over for its type: in a PCR that is
 * judged, every digest is one that is allowed (ATTACKS 28). Pure.
 */
export function judgeBoot(events: readonly MeasuredEvent[], policy: BootPolicy): Result<undefined, BootReason> {
  const measured = (pcr: number) => events.filter((event) => event.pcr === pcr)
  const unseparated = pcrsOfPolicy(policy).find((pcr) => !measured(pcr).some(isSeparator))
  if (unseparated !== undefined) return refused('boot-separator', { pcr: unseparated })

  const ofPolicy = measured(pcrOf.secureBoot)
  // The firmware measures it before anything else, and nobody can measure something before that later.
  if (policy.secureBoot && !(ofPolicy[0] && isSecureBootOn(ofPolicy[0]))) return refused('boot-secure-boot')
  const accepting = ofPolicy.slice(ofPolicy.findIndex(isSeparator) + 1)
  return (
    firstOutside('boot-authority', accepting, policy.authorities) ??
    firstOutside('boot-driver', measured(pcrOf.drivers), policy.drivers) ??
    firstOutside('boot-image', measured(pcrOf.images), policy.images) ??
    accepted(undefined)
  )
}

const isSeparator = ({ digest }: MeasuredEvent) => separators.has(digest.toString('base64url'))

function firstOutside(reason: BootReason, events: readonly MeasuredEvent[], allowed: readonly string[] | undefined) {
  if (!allowed) return undefined
  const isAllowed = (digest: string) => allowed.includes(digest) || separators.has(digest) || actions.has(digest)
  const outside = events.map(({ digest }) => digest.toString('base64url')).find((digest) => !isAllowed(digest))
  return outside === undefined ? undefined : refused(reason, { digest: outside })
}

const secureBootName = Buffer.from('SecureBoot', 'utf16le')

/** UEFI_VARIABLE_DATA of the global variable SecureBoot with the value 1 (PFP, 10.2.6; UEFI 3.3), all of it. */
const secureBootOn = Buffer.concat([
  Buffer.from('61dfe48bca93d211aa0d00e098032b8c', 'hex'),
  le64(secureBootName.length / 2),
  le64(1),
  secureBootName,
  Buffer.of(1),
])

/** By the digest alone: the data may be the sender's word. */
const isSecureBootOn = ({ digest }: MeasuredEvent) => digest.toString('base64url') === sha256(secureBootOn)

function le64(value: number): Buffer {
  const bytes = Buffer.alloc(8)
  bytes.writeUInt32LE(value)
  return bytes
}
