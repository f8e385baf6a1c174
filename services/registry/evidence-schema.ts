import { type Evidence, unsupportedKinds } from '@interlock/attestation'
import { z } from 'zod'

/** base64url of at most so many bytes. */
export const bytes = (max: number) =>
  z
    .string()
    .regex(/^[A-Za-z0-9_-]*$/)
    .max(Math.ceil((max * 4) / 3))
    .transform((text) => Buffer.from(text, 'base64url'))

/** A log of a server with many option ROMs is about 100 kB. */
const eventLogBytesMax = 262_144
const attested = { attest: bytes(1024), signature: bytes(1024) }

const tpmSchema = z
  .strictObject({
    kind: z.literal('tpm').default('tpm'),
    quote: z.strictObject(attested),
    key: z.strictObject({ ...attested, publicArea: bytes(1024) }).optional(),
    boot: z.strictObject({ eventLog: bytes(eventLogBytesMax), pcrValues: z.array(bytes(32)).min(1).max(24) }).optional(),
  })
  .transform(({ key, boot, ...evidence }) => ({ ...evidence, ...(key && { key }), ...(boot && { boot }) }))

const diceSchema = z.strictObject({
  kind: z.literal('dice'),
  chain: z.array(bytes(8192)).min(1).max(8),
  answer: bytes(1024),
})

/** Named, so that it is refused by its name; its contents are not read. */
const unsupportedSchema = z.looseObject({ kind: z.enum(unsupportedKinds) }).transform(({ kind }) => ({ kind }))

/** Evidence as it comes over HTTP; without a kind it is a TPM's. */
export const evidenceSchema: z.ZodType<Evidence> = z.union([tpmSchema, diceSchema, unsupportedSchema])
