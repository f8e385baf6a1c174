import { z } from 'zod'
import { rangeSchema } from './authorization-details.ts'

const axis = z.enum(['x', 'y', 'z', 'a', 'b', 'c', 'u', 'v', 'w', 'e'])
const coordinate = z.number().min(-1_000_000).max(1_000_000)
const positive = z.number().positive().max(1_000_000_000)
/** Millimetres, or degrees of a rotary axis. */
const place = z.partialRecord(axis, coordinate)

/** What a program's meaning hangs on and does not say itself. Absent is unknown, and a program that needs it is refused. */
export const programMachineSchema = z.strictObject({
  dialect: z.enum(['rs274', 'grbl', 'marlin']),
  /** What the control itself runs before each program, such as `G54 G92.1 G49`. */
  startUp: z.string().max(200).optional(),
  /** What each axis can do, millimetres or degrees: its greatest speed, and the acceleration that it keeps up. */
  motion: z.partialRecord(axis, z.strictObject({ ratePerMin: positive, accelerationPerS2: positive })),
  /** Origins of the work offsets in machine coordinates, `1` for G54 to `9` for G59.3; `rotation` about Z in degrees. */
  workOffsets: z
    .record(z.string().regex(/^[1-9]$/), z.partialRecord(z.enum([...axis.options, 'rotation']), coordinate))
    .optional(),
  tools: z
    .record(z.string().regex(/^\d{1,5}$/), z.strictObject({ offsets: place, diameterMm: z.number().min(0).max(10_000) }))
    .refine((tools) => Object.keys(tools).length <= 1000)
    .optional(),
  home: place.optional(),
  secondHome: place.optional(),
  /** Where a tool is changed; empty where the machine stays in place. */
  toolChange: place.optional(),
  blockDelete: z.enum(['run', 'skip']).optional(),
  /** Where S is the power of a laser. */
  laser: z.strictObject({ sMax: positive, powerMaxW: positive }).optional(),
  /** As fast as the spindle can turn: what a cutting speed (G96) without D may come to. */
  spindleMaxPerMin: positive.optional(),
  areOutputsHarmless: z.boolean().optional(),
  /** Codes that the owner forbids although they can be bounded, such as `M6`. */
  forbidden: z
    .array(z.string().regex(/^[GM]\d{1,3}(?:\.\d)?$/))
    .max(64)
    .optional(),
})

/**
 * Limits on what a program comes to. Without a limit here a laser's power and energy and every temperature must be nothing; the others are then
 * limited by the command alone.
 */
export const programLimitsSchema = z.partialRecord(
  z.enum(['feed', 'spindle', 'power', 'energy', 'travel', 'turn', 'time', 'material', 'hotend', 'bed', 'chamber']),
  rangeSchema,
)

/** control.devices, `program` of a capability: which programs may go with it, and how they are read. */
export const programProfileSchema = z.strictObject({
  mediaTypes: z.array(z.string().max(100)).min(1).max(8),
  bytesMax: z.int().min(1),
  /** Where the machine can go, machine coordinates, mm or deg, both ends. An axis that is not here must not move. */
  axes: z.partialRecord(axis, rangeSchema),
  machine: programMachineSchema,
  limits: programLimitsSchema,
})

export type ProgramProfile = z.infer<typeof programProfileSchema>
