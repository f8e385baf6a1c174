import { z } from 'zod'

/** Subjects, resources and actions as OpenID AuthZEN Authorization API 1.0 (§5) has them, and the types that mean something here. */
export const subjectType = 'agent'
export const resourceType = 'device'

const properties = z.record(z.string().max(200), z.unknown()).optional()
const entity = z.object({ type: z.string().min(1).max(200), id: z.string().min(1).max(2048), properties })

export const evaluationSchema = z.object({
  subject: entity,
  resource: entity,
  action: z.object({ name: z.string().min(1).max(200), properties }),
  context: z.record(z.string().max(200), z.unknown()).optional(),
})
export type Evaluation = z.infer<typeof evaluationSchema>

/** §6.2. `context` is free; what it says changes no decision. */
export const evaluationResponseSchema = z.looseObject({ decision: z.boolean() })
