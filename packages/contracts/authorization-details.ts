import { z } from 'zod'
import { budgetLimitsSchema } from './budget.ts'
import { windowSchema } from './window.ts'

const decimal = z.string().max(40)

/** A closed range in one UCUM unit; an absent end is no limit at that end, and no child may drop an end that its parent has. */
export const rangeSchema = z.strictObject({
  min: decimal.optional(),
  max: decimal.optional(),
  unit: z.string().min(1).max(40),
})

/** RFC 9396 authorization detail of type `interlock_device`: what may be asked of which devices. */
export const deviceGrantSchema = z.strictObject({
  type: z.literal('interlock_device'),
  /** Device ids; no wildcards. */
  locations: z.array(z.string().max(64)).min(1).max(32),
  /** Capabilities; no wildcards. */
  actions: z.array(z.string().max(64)).min(1).max(32),
  /** By parameter name. A parameter without a range here is limited by the device's profile alone. */
  limits: z.record(z.string().max(64), rangeSchema),
  /** How many intents may be allowed under this grant, descendants included. */
  maxCount: z.int().min(1).max(1_000_000),
  /** What all of them together may use up, descendants included. */
  budgets: budgetLimitsSchema.optional(),
  /** When it may be used; always, while the token lives, where left out. */
  windows: z.array(windowSchema).min(1).max(16).optional(),
})

/**
 * What one argument of a tool call must be: one of some values, or a number within a range. Of an array each item must be. An argument
 * with a limit has to be given: what a tool takes in its place is not known here.
 */
export const argumentLimitSchema = z.union([
  z.strictObject({
    values: z
      .array(z.union([z.string().max(400), z.boolean()]))
      .min(1)
      .max(64),
  }),
  z.strictObject({ min: decimal.optional(), max: decimal.optional() }),
])

/** RFC 9396 authorization detail of type `interlock_tool`: which tools of which servers may be called through the gateway, and with what. */
export const toolGrantSchema = z.strictObject({
  type: z.literal('interlock_tool'),
  /** Tool servers by the names that the gateway has for them; no wildcards. */
  locations: z
    .array(z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/))
    .min(1)
    .max(32),
  /** Tools by the names that their server gives them; no wildcards. */
  actions: z
    .array(z.string().regex(/^[A-Za-z0-9_.-]{1,128}$/))
    .min(1)
    .max(32),
  /** By the name of an argument. One without a limit here is limited by the tool's pinned definition and by policy alone. */
  limits: z.record(z.string().min(1).max(64), argumentLimitSchema),
  /** How many calls may be allowed under this token, descendants included. */
  maxCount: z.int().min(1).max(1_000_000),
})

export const grantSchema = z.discriminatedUnion('type', [deviceGrantSchema, toolGrantSchema])
/** `authorization_details` of a request, a token, or what a human signs. */
export const grantsSchema = z.array(grantSchema).min(1).max(16)

export type Range = z.infer<typeof rangeSchema>
export type DeviceGrant = z.infer<typeof deviceGrantSchema>
export type ArgumentLimit = z.infer<typeof argumentLimitSchema>
export type ToolGrant = z.infer<typeof toolGrantSchema>
export type Grant = z.infer<typeof grantSchema>
