import { z } from 'zod'
import { quantitySchema } from './command.ts'

/**
 * What a refusal says of the limit that was met, so that whoever asked can ask again rightly: the parameter or budget, what was asked, the nearest that
 * would have been allowed, and whose limit it was. Found in `detail` of a decision and of an outcome, with what else there is to say.
 */
export const limitMetSchema = z.object({
  /** Name of a parameter, an axis, a budget or `count`, a mode, a time. */
  parameter: z.string().max(200),
  asked: z.union([quantitySchema, z.string().max(400)]),
  /** Absent where nothing near would have been allowed. */
  nearest: z.union([quantitySchema, z.string().max(400)]).optional(),
  limitOf: z.enum(['machine', 'grant', 'policy', 'budget', 'command']),
})
export type LimitMet = z.infer<typeof limitMetSchema>

/** Reads the `detail` of a decision or outcome. Undefined where the refusal was not about a limit. */
export function limitMetOf(detail: string): LimitMet | undefined {
  try {
    return limitMetSchema.safeParse(JSON.parse(detail)).data
  } catch {
    return undefined
  }
}
