import { z } from 'zod'

/**
 * A quantity as it travels: a decimal number as text and its UCUM unit. Text, because the value that was checked must be
 * the value dispatched to the last digit, and JSON numbers are rounded by who parses them.
 */
export const quantitySchema = z.strictObject({
  value: z.string().max(40),
  unit: z.string().min(1).max(40),
})

export const programReferenceSchema = z.strictObject({
  mediaType: z.string().min(1).max(100),
  sha256: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  bytes: z.int().min(1).max(52_428_800),
})

/** What one device is asked to do. Its RFC 8785 bytes are `Intent.command`; their SHA-256 is the commandDigest. */
export const commandSchema = z.strictObject({
  device: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  capability: z.string().regex(/^[a-z0-9][a-z0-9.-]{0,63}$/),
  parameters: z.record(z.string().regex(/^[a-zA-Z][a-zA-Z0-9]{0,63}$/), z.unknown()),
  program: programReferenceSchema.optional(),
})

export type Quantity = z.infer<typeof quantitySchema>
export type ProgramReference = z.infer<typeof programReferenceSchema>
export type Command = z.infer<typeof commandSchema>
