import { z } from 'zod'

const time = z.int().min(0).max(253_402_300_799_999)

/** What `interlock policy replay` asks, as JSON on standard input. Paths are absolute. */
export const replayRequestSchema = z.strictObject({
  directory: z.string(),
  /** Milliseconds since 1970; decisions from `since` on and before `until`. */
  since: time,
  until: time,
  mode: z.enum(['change', 'verify']),
  policy: z.string().optional(),
  profile: z.string().optional(),
  grant: z.string().optional(),
  json: z.boolean(),
})
export type ReplayRequest = z.infer<typeof replayRequestSchema>
