import {
  type AskedGrant,
  accepted,
  type Consent,
  type GrantRequest,
  type Result,
  refused,
  type StandingGrant,
} from '@interlock/contracts'
import { digest } from './digest.ts'

/** What a human's signature allows to one job: as signed for that job, or as a standing grant comes to for it. */
export type JobTerms = Omit<GrantRequest, 'kind' | 'nonce'> & { readonly kind: AskedGrant['kind'] }

export type TermsReason = 'job-not-of-grant' | 'job-outside-window' | 'job-beyond-count'

/**
 * The terms of a job. Those of a job under a standing grant can be read from its name alone, so that an offline verifier knows when it began and must
 * end: a name that does not lie within the grant has none. How many jobs there are only their counter knows.
 */
export function termsOf(asked: AskedGrant, job: string): Result<JobTerms, TermsReason> {
  if (asked.kind === 'grant') return accepted(asked)
  const read = readJobName(asked, job)
  if (!read) return refused('job-not-of-grant', { job, jobPrefix: asked.jobPrefix })
  const { number, begin } = read
  if (number > asked.jobsMax) return refused('job-beyond-count', { number, jobsMax: asked.jobsMax })
  if (begin < asked.from || begin >= asked.until) return refused('job-outside-window', { from: asked.from, until: asked.until })
  return accepted({ ...asked, job, from: begin, until: Math.min(asked.until, begin + asked.jobSecondsMax * 1000) })
}

/** How a standing grant's jobs are called. `begin` in milliseconds since 1970, a whole second. */
export const jobNameOf = ({ jobPrefix }: StandingGrant, number: number, begin: number): string =>
  `${jobPrefix}.${number}.${begin / 1000}`

/** The parts of such a name, in its one spelling; undefined for any other. */
export function readJobName(grant: StandingGrant, job: string): { readonly number: number; readonly begin: number } | undefined {
  const [number, begin] = /^[^.]+\.([0-9]{1,5})\.([0-9]{1,12})$/.exec(job)?.slice(1).map(Number) ?? []
  if (number === undefined || begin === undefined || number < 1) return undefined
  return jobNameOf(grant, number, begin * 1000) === job ? { number, begin: begin * 1000 } : undefined
}

/** What a consent's request is known by: its digest, which is what the passkey signed. Revocations of kind `standing-grant` name it. */
export const consentId = ({ request }: Pick<Consent, 'request'>): string => digest(Buffer.from(request, 'base64url'))
