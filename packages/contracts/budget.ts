import { z } from 'zod'

/** What a job may use up besides its count of commands. Each has its own dimensions (packages/bounds/budgets). */
export const budgetNames = ['energy', 'travel', 'dose', 'material', 'time'] as const
export const budgetNameSchema = z.enum(budgetNames)

/** By budget. One that is absent is not limited here, and no child may leave out one that its parent has. */
export const budgetLimitsSchema = z.partialRecord(
  budgetNameSchema,
  z.strictObject({ max: z.string().max(40), unit: z.string().min(1).max(40) }),
)

/** How long a use lasts: as long as an order may, as the program says, or as a parameter says. */
const duringSchema = z.union([z.literal('order'), z.literal('program'), z.strictObject({ parameter: z.string().min(1).max(64) })])

/** Where the device's own account of it stands in its ack: a member of `measured`, and its unit. */
const reported = z.strictObject({ member: z.string().min(1).max(64), unit: z.string().min(1).max(40) }).optional()
const parameter = z.string().min(1).max(64)

/** The most that one command can use of a budget: a parameter's amount, a rate for a time, a time, what the program would use, or always the same. */
export const useSchema = z.discriminatedUnion('by', [
  z.strictObject({ by: z.literal('amount'), parameter, reported }),
  z.strictObject({ by: z.literal('rate'), parameter, during: duringSchema, reported }),
  z.strictObject({ by: z.literal('time'), during: duringSchema, reported }),
  z.strictObject({ by: z.literal('program'), reported }),
  z.strictObject({ by: z.literal('fixed'), value: z.string().max(40), unit: z.string().min(1).max(40), reported }),
])

/** At most so much within any `windowMs`: of commands (`count`, unit `1`) or of a budget, by one job or by all who use the device. */
export const rateSchema = z.strictObject({
  per: z.enum(['job', 'device']),
  of: z.enum(['count', ...budgetNames]),
  max: z.string().max(40),
  unit: z.string().min(1).max(40),
  windowMs: z.int().min(100).max(3_600_000),
})

export type BudgetName = z.infer<typeof budgetNameSchema>
export type BudgetLimits = z.infer<typeof budgetLimitsSchema>
export type Use = z.infer<typeof useSchema>
export type Rate = z.infer<typeof rateSchema>
