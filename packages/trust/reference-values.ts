import { z } from 'zod'

const digest = z.string().regex(/^[A-Za-z0-9_-]{43}$/)

const digests = z.array(digest).max(64)

/** What a boot must have been, told by events rather than by PCR values: it survives updates of what it does not name. */
export const bootPolicySchema = z.strictObject({
  /** The firmware checked signatures (PCR 7). */
  secureBoot: z.literal(true).optional(),
  /** Whose signatures it accepted: digests of the authorities' events (PCR 7, after the separator). */
  authorities: digests.optional(),
  /** Drivers and option ROMs that may have run (PCR 2); an empty list allows none. */
  drivers: digests.optional(),
  /** Boot loaders and kernels that may have run (PCR 4). */
  images: digests.optional(),
})
export type BootPolicy = z.infer<typeof bootPolicySchema>
/** Which PCR a rule needs quoted. */
const pcrOfRule = { secureBoot: 7, authorities: 7, drivers: 2, images: 4 } as const

const platform = {
  /** PCRs of the SHA-256 bank, ascending. */
  pcrs: z.array(z.int().min(0).max(23)).min(1).max(24),
  /** base64url SHA-256 of the endorsement certificate, where the very TPM is known beforehand. */
  endorsement: digest.optional(),
}

/** A TPM's, which evidence is appraised against (RFC 9334 "reference values"). */
export const platformReferenceSchema = z.union([
  /** The digest over the PCRs' values: exactly this boot. */
  z.strictObject({ ...platform, pcrDigest: digest }),
  /** Any boot that an event log, which replays to the PCRs, shows to be so. */
  z.strictObject({ ...platform, boot: bootPolicySchema }).refine(
    ({ pcrs, boot }) => {
      const rules = (Object.keys(pcrOfRule) as (keyof typeof pcrOfRule)[]).filter((rule) => boot[rule] !== undefined)
      return rules.length > 0 && rules.every((rule) => pcrs.includes(pcrOfRule[rule]))
    },
    { error: 'there must be a rule, and the PCRs of each must be quoted' },
  ),
])
export type PlatformReference = z.infer<typeof platformReferenceSchema>

/** base64url of 32, 48 or 64 bytes: an input value of a DICE, as it entered the derivation. */
const diceInput = z.string().regex(/^([A-Za-z0-9_-]{43}|[A-Za-z0-9_-]{64}|[A-Za-z0-9_-]{86})$/)

/** A DICE's: which device it is, and what each layer must have been measured to be. */
export const diceReferenceSchema = z.strictObject({
  /** SubjectPublicKeyInfo of the key derived from the device's secret (UDS), base64url. */
  udsKey: z
    .string()
    .regex(/^[A-Za-z0-9_-]+$/)
    .max(200),
  /** First layer first; the last is what talks to us. */
  layers: z
    .array(z.strictObject({ code: diceInput, configuration: diceInput, authority: diceInput }))
    .min(1)
    .max(8),
})
export type DiceReference = z.infer<typeof diceReferenceSchema>

const spl = z.int().min(0).max(255)
/** Security patch levels of a Milan or Genoa. */
export const snpTcbSchema = z.strictObject({ bootLoader: spl, tee: spl, snp: spl, microcode: spl })
export type SnpTcb = z.infer<typeof snpTcbSchema>

/** A guest's under SEV-SNP. Debugging and migration are never allowed. */
export const snpReferenceSchema = z.strictObject({
  /** base64url of the 48-byte launch digest. */
  measurement: z.string().regex(/^[A-Za-z0-9_-]{64}$/),
  guestSvnMin: z.int().min(0).max(0xffff_ffff),
  tcbMin: snpTcbSchema,
  /** The privilege level that must ask: 0 is the most trusted. */
  vmplMax: z.int().min(0).max(3),
})
export type SnpReference = z.infer<typeof snpReferenceSchema>
