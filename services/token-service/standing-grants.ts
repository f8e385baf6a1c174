import { jobNameOf, readJobName, readStandingRecord, type StandingRecord } from '@interlock/trust'
import { OAuthError } from './oauth-error.ts'

/** How many standing grants live at a time. */
const countMax = 1000
const dayMs = 86_400_000

export type KeptGrant = Omit<StandingRecord, 'job'>

/**
 * Standing grants and the jobs that began under each: a fold over the topic `tokens`, so that a restart forgets none. What is counted is the name of each
 * job, by its first token; that the human signed is verified anew for each.
 */
export class StandingGrants {
  readonly #grants = new Map<string, KeptGrant>()
  /** Begin by job, by grant. */
  readonly #jobs = new Map<string, Map<string, number>>()
  /** Names of grants that are being recorded. */
  readonly #reserved = new Set<string>()

  /**
   * Takes a recorded signing input: a standing grant's, or a token's under one. Anything else is not meant for it. The first consent to a grant is kept:
   * records have no signature of ours, and a forged one must not take a good one's place.
   */
  add(signingInput: string): void {
    const record = readStandingRecord(signingInput)
    if (!record) return
    const { id, grant, consent, job } = record
    if (!this.#grants.has(id)) this.#grants.set(id, { id, grant, consent })
    if (job) this.#jobsOf(id).set(job.name, job.begin)
  }

  get(id: string): KeptGrant | undefined {
    return this.#grants.get(id)
  }

  /** Whether another living grant has jobs of this name already, or there is no room for more. */
  isTaken(jobPrefix: string): boolean {
    if (this.#grants.size + this.#reserved.size >= countMax || this.#reserved.has(jobPrefix)) return true
    return [...this.#grants.values()].some(({ grant }) => grant.jobPrefix === jobPrefix)
  }

  /** Keeps a name while its grant is recorded, so that of two that are signed at once one stands. False where it is taken; else `release` follows. */
  reserve(jobPrefix: string): boolean {
    if (this.isTaken(jobPrefix)) return false
    this.#reserved.add(jobPrefix)
    return true
  }

  release(jobPrefix: string): void {
    this.#reserved.delete(jobPrefix)
  }

  /** The name of the next job, counted from now on: what could not be recorded may have been. @throws OAuthError where there is none */
  begin({ id, grant }: KeptGrant, now: number): string {
    const jobs = this.#jobsOf(id)
    const begin = Math.floor(now / 1000) * 1000
    const number = 1 + Math.max(0, ...[...jobs.keys()].map((job) => readJobName(grant, job)?.number ?? 0))
    if (number > grant.jobsMax) throw new OAuthError('invalid_grant', 'standing grant: all its jobs have begun')
    if ([...jobs.values()].filter((at) => at > now - dayMs).length >= grant.jobsPerDayMax)
      throw new OAuthError('slow_down', 'standing grant: enough jobs for a day')
    const job = jobNameOf(grant, number, begin)
    jobs.set(job, begin)
    return job
  }

  /** Lets go what is over. `now` in milliseconds since 1970. */
  forget(now: number): void {
    for (const [id, { grant }] of this.#grants) {
      if (grant.until > now) continue
      this.#grants.delete(id)
      this.#jobs.delete(id)
    }
  }

  #jobsOf(id: string): Map<string, number> {
    const jobs = this.#jobs.get(id) ?? new Map<string, number>()
    this.#jobs.set(id, jobs)
    return jobs
  }
}
