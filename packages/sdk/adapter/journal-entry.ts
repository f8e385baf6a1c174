import { quantitySchema } from '@interlock/contracts'
import { z } from 'zod'

/**
 * One line of the journal. An order is `begun` before its command runs, `ended` when its answer is known, `told` when the broker
 * has the answer. Only `begun` and `ended` are worth anything to a start after a crash.
 */
export const journalEntrySchema = z.strictObject({
  state: z.enum(['begun', 'ended', 'told']),
  intentId: z.string().min(1).max(64),
  jobId: z.string().max(128),
  orderDigest: z.string().length(43),
  nonce: z.string().length(43),
  at: z.int(),
  /** The most that it uses of what rates limit, as semantic-bounds signed it. Lines of before there were rates have none. */
  uses: z.record(z.string(), quantitySchema).default({}),
  /** What it ended with; `begun` has none. */
  answer: z
    .strictObject({
      status: z.enum(['completed', 'failed', 'refused']),
      reason: z.string().max(200),
      measured: z.record(z.string(), z.union([z.number(), z.string(), z.boolean()])),
    })
    .nullable(),
})
export type JournalEntry = z.infer<typeof journalEntrySchema>
