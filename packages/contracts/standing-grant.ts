import { z } from 'zod'
import { grantRequestSchema } from './grant.ts'

const { human, orchestrator, audience, grants, mayDelegateTo, summary, from, until, nonce } = grantRequestSchema.shape

/**
 * What a human reads and signs once, so that jobs may begin while nobody is there. The digest of its canonical JSON is the WebAuthn challenge, and
 * the standing grant's id.
 */
export const standingGrantSchema = z.strictObject({
  kind: z.literal('standing-grant'),
  ...{ human, orchestrator, audience, grants, mayDelegateTo, summary, nonce },
  /** Its jobs are called `<jobPrefix>.<number>.<begin>`: their number under the grant, from 1, and their begin in seconds since 1970. */
  jobPrefix: z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/),
  /** How many jobs may begin, and how many within any 24 hours. */
  jobsMax: z.int().min(1).max(10_000),
  jobsPerDayMax: z.int().min(1).max(10_000),
  /** How long after its begin a job's last token may end. */
  jobSecondsMax: z.int().min(300).max(86_400),
  /** No job begins, and no token is valid, outside of these, milliseconds since 1970. */
  from,
  until,
})

/** Whatever a human may be asked to sign so that an agent may act: told apart by `kind`, which is signed. */
export const askedGrantSchema = z.discriminatedUnion('kind', [grantRequestSchema, standingGrantSchema])

export type StandingGrant = z.infer<typeof standingGrantSchema>
export type AskedGrant = z.infer<typeof askedGrantSchema>
