import { type Consent, consentSchema, type StandingGrant, standingGrantSchema } from '@interlock/contracts'
import { z } from 'zod'
import { consentId, readJobName } from './job-terms.ts'
import { readJws } from './jws.ts'

/** What a record of the topic `tokens` says of a standing grant: that it is, or that a job under it began. */
export type StandingRecord = {
  readonly id: string
  readonly grant: StandingGrant
  readonly consent: Consent
  /** `begin` in milliseconds since 1970. */
  readonly job?: { readonly name: string; readonly begin: number }
}

/** What a token that a human consented to and the record of a standing grant have in common. */
const payloadSchema = z.looseObject({ consent: consentSchema, job: z.string().optional() })

/**
 * A standing grant as it lies in the topic `tokens`: laid out like the tokens there, header and payload, and like them without a signature of the
 * token service's. The one that counts is the human's, in it.
 */
export function recordOfStandingGrant(consent: Consent): string {
  const encode = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url')
  return `${encode({ typ: 'standing-grant+json' })}.${encode({ consent })}`
}

/** Reads a recorded signing input, a standing grant's or a token's under one; undefined for any other. Nothing is verified here. */
export function readStandingRecord(signingInput: string): StandingRecord | undefined {
  const read = readJws(`${signingInput}.AA`)
  const payload = read.ok ? payloadSchema.safeParse(read.value.payload) : undefined
  if (!payload?.success) return undefined
  const { consent, job } = payload.data
  const grant = standingGrantOf(consent)
  if (!grant) return undefined
  const begin = job === undefined ? undefined : readJobName(grant, job)?.begin
  return {
    id: consentId(consent),
    grant,
    consent,
    ...(job !== undefined && begin !== undefined && { job: { name: job, begin } }),
  }
}

function standingGrantOf({ request }: Consent): StandingGrant | undefined {
  try {
    const read = standingGrantSchema.safeParse(JSON.parse(Buffer.from(request, 'base64url').toString('utf8')))
    return read.success ? read.data : undefined
  } catch {
    return undefined
  }
}
